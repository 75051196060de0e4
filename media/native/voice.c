#include "voice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOT_ANCHORED ((int64_t)1 << 62)

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* --- RTP and RED on the wire ------------------------------------------------------------------------------------- */

static int level_of(const uint8_t *packet, int start, int end, int level_id)
{
    while (start < end) {
        int id = packet[start] >> 4;
        if (packet[start] == 0) { /* padding between elements */
            start += 1;
            continue;
        }
        if (id == 15) /* reserved: stop reading */
            return -1;
        if (id == level_id)
            return start + 1 < end ? packet[start + 1] : -1;
        start += 2 + (packet[start] & 0x0F);
    }
    return -1;
}

bool header_read(Header *header, const uint8_t *packet, int size, int level_id)
{
    if (size < MIN_HEADER || (packet[0] & 0xC0) != 0x80)
        return false;
    int payload = MIN_HEADER + 4 * (packet[0] & 0x0F);
    header->level = -1;
    if (packet[0] & 0x10) {
        if (payload + 4 > size)
            return false;
        int profile = packet[payload] << 8 | packet[payload + 1];
        int start = payload + 4;
        payload = start + 4 * (packet[start - 2] << 8 | packet[start - 1]);
        if (payload > size)
            return false;
        if (profile == 0xBEDE && level_id)
            header->level = level_of(packet, start, payload, level_id);
    }
    int end = size;
    if (packet[0] & 0x20) {
        int padding = packet[size - 1];
        if (padding == 0 || payload + padding > size)
            return false;
        end -= padding;
    }
    if (payload > end)
        return false;
    header->payload_type = packet[1] & 0x7F;
    header->marker = packet[1] & 0x80;
    header->sequence = (uint16_t)(packet[2] << 8 | packet[3]);
    header->timestamp = word(packet + 4);
    header->ssrc = word(packet + 8);
    header->payload = payload;
    header->end = end;
    return true;
}

bool red_read(Red *red, const uint8_t *payload, int size, int payload_type)
{
    int at = 0, count = 0;
    Block blocks[MAX_BLOCKS];
    while (at < size && payload[at] & 0x80) {
        if (at + 4 > size || count + 1 >= MAX_BLOCKS)
            return false;
        uint32_t header = word(payload + at);
        if ((int)(header >> 24 & 0x7F) != payload_type)
            return false;
        blocks[count].offset = (int)(header >> 10 & 0x3FFF);
        blocks[count++].size = (int)(header & 0x3FF);
        at += 4;
    }
    if (at >= size || payload[at] != payload_type)
        return false;
    at += 1;
    for (int i = 0; i < count; i++) {
        blocks[i].at = at;
        at += blocks[i].size;
    }
    if (at > size)
        return false;
    for (int i = 0; i < count; i++)
        red->earlier[i] = blocks[count - 1 - i];
    red->count = count;
    red->primary = at;
    red->primary_size = size - at;
    return true;
}

void red_renumber(uint8_t *payload, int size, int payload_type)
{
    int at = 0;
    while (at + 4 < size && payload[at] & 0x80) {
        payload[at] = (uint8_t)(0x80 | payload_type);
        at += 4;
    }
    payload[at] = (uint8_t)payload_type;
}

/* --- what comes in ----------------------------------------------------------------------------------------------- */

void reception_begin(Reception *reception, uint32_t ssrc, uint16_t sequence)
{
    memset(reception, 0, sizeof *reception);
    reception->ssrc = ssrc;
    /* One cycle up, so that packets from just before the first one have positive indexes too. */
    reception->highest = reception->base = 0x10000 + (int64_t)sequence;
}

int64_t reception_extend(Reception *reception, uint16_t sequence, bool *jumped)
{
    int64_t delta = (uint16_t)(sequence - (uint16_t)reception->highest);
    *jumped = false;
    reception->received++;
    if (delta >= 0x8000)
        return reception->highest + delta - 0x10000;
    reception->highest += delta;
    if (delta > 3000) {
        reception->base += delta - 1;
        *jumped = true;
    }
    return reception->highest;
}

void reception_arrived(Reception *reception, uint32_t timestamp, double now)
{
    uint32_t transit = (uint32_t)(int64_t)(now * OPUS_CLOCK) - timestamp;
    if (reception->has_transit) {
        uint32_t difference = transit - reception->transit;
        if (difference >= 0x80000000u)
            difference = 0u - difference;
        reception->jitter += (difference - reception->jitter) / 16;
    }
    reception->has_transit = true;
    reception->transit = transit;
}

void reception_report(Reception *reception, double now, ReportBlock *block)
{
    int64_t expected = reception->highest - reception->base + 1;
    int64_t lost = expected - reception->received;
    int64_t expected_since = expected - reception->expected_before;
    int64_t lost_since = expected_since - (reception->received - reception->received_before);
    reception->expected_before = expected;
    reception->received_before = reception->received;
    block->ssrc = reception->ssrc;
    block->fraction_lost = 0;
    if (expected_since > 0 && lost_since > 0) {
        int64_t fraction = lost_since * 256 / expected_since;
        block->fraction_lost = (uint32_t)(fraction < 255 ? fraction : 255);
    }
    block->cumulative_lost = (int32_t)(lost < -0x800000 ? -0x800000 : lost > 0x7FFFFF ? 0x7FFFFF : lost);
    block->highest = (uint32_t)reception->highest;
    block->jitter = (uint32_t)(int64_t)reception->jitter;
    block->last_report = reception->report_ntp;
    block->delay = 0;
    if (reception->report_ntp) {
        double delay = (now - reception->report_at) * 65536;
        block->delay = delay >= 4294967295.0 ? 0xFFFFFFFFu : delay > 0 ? (uint32_t)delay : 0;
    }
}

void missing_clear(Missing *missing)
{
    for (int i = 0; i < MISSING; i++)
        missing->wanted[i].asked = -1;
    missing->count = 0;
}

void missing_gap(Missing *missing, int64_t last, int64_t index, double now)
{
    int64_t from = last + 1 > index - WORTH ? last + 1 : index - WORTH;
    for (int64_t each = from; each < index; each++) {
        int i = (int)(each & (MISSING - 1));
        if (missing->wanted[i].asked < 0)
            missing->count++;
        missing->wanted[i].index = each;
        missing->wanted[i].asked = 0;
        missing->wanted[i].at = now;
    }
}

bool missing_wants(const Missing *missing, int64_t index)
{
    int i = (int)(index & (MISSING - 1));
    return missing->wanted[i].asked >= 0 && missing->wanted[i].index == index;
}

bool missing_came(Missing *missing, int64_t index)
{
    if (!missing_wants(missing, index))
        return false;
    int i = (int)(index & (MISSING - 1));
    bool asked = missing->wanted[i].asked > 0;
    missing->wanted[i].asked = -1;
    missing->count--;
    return asked;
}

int missing_due(Missing *missing, int64_t highest, double now, uint16_t *sequences)
{
    int count = 0;
    for (int i = 0; i < MISSING; i++) {
        if (missing->wanted[i].asked >= 6 ||
            (missing->wanted[i].asked >= 0 && missing->wanted[i].index < highest - WORTH)) {
            missing->wanted[i].asked = -1;
            missing->count--;
        }
    }
    for (int64_t each = highest - WORTH; each <= highest; each++) {
        int i = (int)(each & (MISSING - 1));
        if (missing_wants(missing, each) && missing->wanted[i].at <= now) {
            missing->wanted[i].asked++;
            missing->wanted[i].at = now + 0.04;
            sequences[count++] = (uint16_t)each;
        }
    }
    return count;
}

/* --- what is kept ------------------------------------------------------------------------------------------------ */

void history_begin(History *history, uint64_t id)
{
    history_clear(history);
    history->id = id;
    history->highest = -1;
}

void history_clear(History *history)
{
    for (int i = 0; i < HISTORY; i++) {
        free(history->ring[i].data);
        history->ring[i].data = NULL;
    }
}

Packet *history_add(History *history, const Packet *packet)
{
    Packet *place = &history->ring[packet->number & (HISTORY - 1)];
    if (packet->number > history->highest)
        history->highest = packet->number;
    else if (packet->number <= history->highest - HISTORY || (place->data && place->number == packet->number))
        return NULL;
    uint8_t *data = malloc((size_t)packet->size);
    if (!data)
        return NULL;
    memcpy(data, packet->data, (size_t)packet->size);
    free(place->data);
    *place = *packet;
    place->data = data;
    return place;
}

Packet *history_get(History *history, int64_t index)
{
    Packet *place = &history->ring[index & (HISTORY - 1)];
    return place->data && place->number == index ? place : NULL;
}

int history_latest(History *history, uint32_t span, Packet **found)
{
    int count = 0;
    Packet *newest = history_get(history, history->highest);
    if (!newest)
        return 0;
    for (int64_t each = history->highest - HISTORY + 1; each <= history->highest; each++) {
        Packet *packet = history_get(history, each);
        if (packet && newest->timestamp - packet->timestamp < span)
            found[count++] = packet;
    }
    return count;
}

/* --- what goes out ----------------------------------------------------------------------------------------------- */

void stream_begin(OutStream *stream, uint16_t first_sequence, uint32_t first_timestamp)
{
    memset(stream, 0, sizeof *stream);
    stream->first_index = NOT_ANCHORED;
    stream->last_index = (int64_t)first_sequence - 1;
    stream->last_timestamp = first_timestamp;
}

void stream_switch(OutStream *stream, uint32_t transport, uint64_t history)
{
    stream->first_index = NOT_ANCHORED;
    stream->transport = transport;
    stream->history = history;
}

static uint32_t elapsed(const OutStream *stream, double now, int64_t least)
{
    int64_t passed = llrint((now - stream->last_at) * OPUS_CLOCK);
    return (uint32_t)(passed > least ? passed : least);
}

static void anchor(OutStream *stream, int64_t index, uint32_t timestamp, double now)
{
    uint32_t step = stream->run_count ? elapsed(stream, now, FRAME) : 0;
    stream->first_index = index;
    stream->index_offset = stream->last_index + 1 - index;
    stream->timestamp_offset = stream->last_timestamp + step - timestamp;
    stream->runs[stream->run_count++ % RUNS] =
        (Run){stream->last_index + 1, stream->index_offset, stream->timestamp_offset, stream->transport,
              stream->history};
}

bool stream_map(OutStream *stream, int64_t index, uint32_t timestamp, double now, Mapped *mapped)
{
    mapped->marker = 0;
    if (index <= stream->first_index) {
        if (stream->first_index == NOT_ANCHORED)
            anchor(stream, index, timestamp, now);
        else if (index < stream->first_index)
            return false;
        mapped->marker = 0x80;
    }
    int64_t out = index + stream->index_offset;
    mapped->sequence = (uint16_t)out;
    mapped->timestamp = timestamp + stream->timestamp_offset;
    if (out > stream->last_index) {
        stream->last_index = out;
        stream->last_timestamp = mapped->timestamp;
        stream->last_at = now;
    }
    return true;
}

const Run *stream_find(const OutStream *stream, uint16_t sequence, int64_t *index)
{
    int64_t back = (uint16_t)((uint16_t)stream->last_index - sequence);
    if (back > BACK)
        return NULL;
    int64_t out = stream->last_index - back;
    unsigned kept = stream->run_count < RUNS ? stream->run_count : RUNS;
    for (unsigned i = 1; i <= kept; i++) {
        const Run *run = &stream->runs[(stream->run_count - i) % RUNS];
        if (run->first <= out) {
            *index = out - run->index_offset;
            return run;
        }
    }
    return NULL;
}

bool stream_timestamp_at(const OutStream *stream, double now, uint32_t *timestamp)
{
    if (!stream->run_count)
        return false;
    *timestamp = stream->last_timestamp + elapsed(stream, now, 0);
    return true;
}
