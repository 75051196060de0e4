/* From a packet that is kept to each listener's datagram. */
#include "loop.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD = 2 };

static void put32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

int put(Loop *loop, Outbox *out, const Downlink *slot, const Packet *packet, const Mapped *mapped,
               uint32_t contributor)
{
    Transport *listener = slot->listener;
    bool red = packet->red && slot->slot.red_payload_type;
    const uint8_t *payload = packet->data + (red ? 0 : packet->opus);
    int size = red ? packet->size : packet->opus_size;
    uint8_t *at = outbox_room(out);
    memcpy(at, slot->slot.head, slot->slot.head_size);
    at[1] = (uint8_t)(packet->marker | mapped->marker | (red ? slot->slot.red_payload_type : slot->slot.payload_type));
    at[2] = (uint8_t)(mapped->sequence >> 8);
    at[3] = (uint8_t)mapped->sequence;
    put32(at + 4, mapped->timestamp);
    put32(at + 12, contributor);
    if (packet->level < 0)
        at[20] = at[21] = 0;
    else if (slot->slot.has_level)
        at[21] = (uint8_t)packet->level;
    memcpy(at + slot->slot.head_size, payload, (size_t)size);
    if (red)
        red_renumber(at + slot->slot.head_size, size, slot->slot.payload_type);
    int whole = slot->slot.head_size + size;
    if (loop->protect(listener->transmit, at, &whole)) {
        loop->counts.drops[UNENCRYPTABLE]++;
        return -1;
    }
    if (loop->files[listener->socket] < 0) {
        tell(loop, SEND, listener->socket, listener->numbers.number, listener->address, at, whole, RECORDS);
        return size;
    }
    outbox_add(loop, out, listener, whole);
    return size;
}

bool can_be_sent_to(const Transport *transport)
{
    return transport->transmit && transport->socket >= 0;
}

/* A slot's numbers were last touched 20 ms ago: they are fetched while those before it are worked on. */
static void fetch(const Downlink *slot)
{
    for (size_t at = 0; at < offsetof(Downlink, stream.runs); at += 64)
        __builtin_prefetch((const char *)slot + at, 1);
    __builtin_prefetch(&slot->packets, 1);
}

void forward(Loop *loop, Outbox *out, Downlink **routes, int count, const Packet *packet, uint32_t contributor,
                    double now)
{
    for (int i = 0; i < count; i++) {
        Downlink *slot = routes[i];
        Mapped mapped;
        if (i + AHEAD < count)
            fetch(routes[i + AHEAD]);
        if (i + 1 < count)
            __builtin_prefetch(&routes[i + 1]->listener->transmit);
        if (!can_be_sent_to(slot->listener))
            continue;
        if (!stream_map(&slot->stream, packet->number, packet->timestamp, now, &mapped)) {
            loop->counts.drops[LATE]++;
            continue;
        }
        int size = put(loop, out, slot, packet, &mapped, contributor);
        if (size < 0)
            continue;
        slot->packets++;
        slot->octets += (uint64_t)size;
        loop->counts.forwarded++;
    }
}
