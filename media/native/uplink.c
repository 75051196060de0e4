#include "uplink.h"

#include <math.h>

enum { SPEECH = 50, MIN_SPEECH = 4, ONSET = 1920, RING = 4800, SOFT = 1920 };
static const double LATELY = 0.1;

void uplink_forget(Transport *transport)
{
    history_clear(&transport->history);
    missing_clear(&transport->missing);
    transport->loudest = -1;
    transport->begins = transport->speaks = transport->has_begun = false;
}

void uplink_set_muted(Transport *transport, bool muted)
{
    if (transport->muted && !muted) {
        if (transport->has_reception)
            transport->first = transport->reception.highest + 1;
        switch_routes(transport);
    }
    transport->muted = muted;
    if (muted)
        uplink_forget(transport);
}

int uplink_just_said(Transport *transport, Packet **found)
{
    Packet *newest = history_get(&transport->history, transport->history.highest);
    if (!newest)
        return 0;
    uint32_t span = RING;
    if (newest->at - transport->word_at < LATELY) {
        uint64_t word = (uint64_t)(newest->timestamp - transport->word_start) + SOFT + 1;
        if (word > span)
            span = word < UINT32_MAX ? (uint32_t)word : UINT32_MAX;
    }
    return history_latest(&transport->history, span, found);
}

/* The packet's index; what is missing before it is noted. */
static int64_t receive(Transports *all, Transport *transport, const Header *header, double now)
{
    Reception *reception = &transport->reception;
    if (!transport->has_reception || reception->ssrc != header->ssrc) {
        reception_begin(reception, header->ssrc, header->sequence);
        transport->has_reception = true;
        uplink_forget(transport);
        history_begin(&transport->history, ++all->histories);
        transport->first = reception->highest;
        switch_routes(transport);
    }
    int64_t newest = reception->highest;
    bool jumped;
    int64_t index = reception_extend(reception, header->sequence, &jumped);
    if (index <= newest && missing_came(&transport->missing, index)) {
        reception->received--; /* it came because it was asked for: the network had lost it */
        return index;
    }
    reception_arrived(reception, header->timestamp, now);
    if (jumped) {
        missing_clear(&transport->missing);
        switch_routes(transport);
    } else if (index > newest + 1 && !transport->muted) {
        missing_gap(&transport->missing, newest, index, now);
    }
    return index;
}

static int keep(Transport *transport, const Packet *packet, Counts *counts, int64_t *numbers)
{
    if (!history_add(&transport->history, packet)) {
        counts->drops[LATE]++;
        return 0;
    }
    if (packet->level >= 0) {
        int level = packet->opus_size >= MIN_SPEECH ? packet->level & 0x7F : SILENT;
        if (transport->loudest < 0 || level < transport->loudest)
            transport->loudest = level;
        transport->begins = false;
        uint32_t spoken = packet->timestamp - transport->speaks_from;
        if (level > SPEECH) {
            transport->speaks = transport->has_begun = false;
        } else if (!transport->has_begun) {
            transport->has_begun = true;
            transport->speaks_from = packet->timestamp;
        } else if (!transport->speaks && spoken >= ONSET && spoken < 1u << 31) {
            transport->speaks = transport->begins = true;
            transport->word_start = transport->speaks_from;
            transport->word_at = packet->at;
        }
    }
    numbers[0] = packet->number;
    return 1;
}

static int take_red(Transport *transport, const Header *header, int64_t index, const uint8_t *payload, double now,
                    Counts *counts, int64_t *numbers)
{
    int size = header->end - header->payload, count = 0;
    int payload_type = transport->numbers.payload_type > 0 ? transport->numbers.payload_type : 0;
    Red red;
    if (!red_read(&red, payload, size, payload_type)) {
        counts->drops[MALFORMED]++;
        return 0;
    }
    if (!red.primary_size) {
        counts->drops[EMPTY]++;
        return 0;
    }
    Packet packet = {.level = header->level, .at = now};
    for (int back = 1; back <= red.count; back++) {
        const Block *block = &red.earlier[back - 1];
        packet.number = index - back;
        if (!block->size || packet.number < transport->first || !missing_wants(&transport->missing, packet.number))
            continue;
        missing_came(&transport->missing, packet.number);
        packet.timestamp = header->timestamp - (uint32_t)block->offset;
        packet.data = (uint8_t *)payload + block->at;
        packet.size = packet.opus_size = block->size;
        count += keep(transport, &packet, counts, numbers + count);
    }
    counts->recovered += (uint64_t)count;
    for (int i = 0; i < count / 2; i++) {
        int64_t other = numbers[i];
        numbers[i] = numbers[count - 1 - i];
        numbers[count - 1 - i] = other;
    }
    packet.number = index;
    packet.timestamp = header->timestamp;
    packet.marker = header->marker;
    /* What was said while muted must not come out in the redundancy of the first packets after it. */
    packet.red = index - red.count >= transport->first;
    packet.data = (uint8_t *)payload + (packet.red ? 0 : red.primary);
    packet.size = packet.red ? size : red.primary_size;
    packet.opus = packet.red ? red.primary : 0;
    packet.opus_size = red.primary_size;
    return count + keep(transport, &packet, counts, numbers + count);
}

int uplink_take(Transports *all, Transport *transport, const Header *header, const uint8_t *packet, double now,
                Counts *counts, int64_t *numbers)
{
    int size = header->end - header->payload;
    bool red = header->payload_type == transport->numbers.red_payload_type && header->payload_type != 0;
    if (!red && header->payload_type != transport->numbers.payload_type) {
        counts->drops[UNEXPECTED]++;
        return 0;
    }
    if (size <= 0 || size > MAX_PAYLOAD) {
        counts->drops[size > 0 ? TOO_LONG : EMPTY]++;
        return 0;
    }
    counts->received++;
    int64_t index = receive(all, transport, header, now);
    if (transport->muted || index < transport->first) {
        counts->drops[transport->muted ? MUTED : LATE]++;
        return 0;
    }
    const uint8_t *payload = packet + header->payload;
    if (red)
        return take_red(transport, header, index, payload, now, counts, numbers);
    Packet plain = {
        .number = index,
        .timestamp = header->timestamp,
        .marker = header->marker,
        .level = header->level,
        .data = (uint8_t *)payload,
        .size = size,
        .opus_size = size,
        .at = now,
    };
    return keep(transport, &plain, counts, numbers);
}
