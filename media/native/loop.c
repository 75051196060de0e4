/* What media/forwarder.py does, in a thread of its own that never takes the GIL. */
#include "loop.h"

#include <stdlib.h>
#include <string.h>

static bool gets_a_turn(const Loop *loop, Transport *transport)
{
    if (transport->turn != loop->turn) {
        transport->turn = loop->turn;
        transport->taken = 0;
    }
    return transport->taken++ < loop->limits.turn;
}

static bool has_used(const Transport *transport, uint32_t ssrc)
{
    for (int i = 0; i < transport->ssrc_count; i++)
        if (transport->ssrcs[i] == ssrc)
            return true;
    return false;
}

/* Whether it may send now, under this SSRC; if not, that is counted. */
static bool admits(Loop *loop, Transport *transport, uint32_t ssrc, double now)
{
    if (!has_used(transport, ssrc) && transport->ssrc_count >= loop->limits.ssrcs)
        loop->counts.drops[TOO_MANY_SSRCS]++;
    else if (allowance_spent(&transport->packets, now) || allowance_spent(&transport->octets, now))
        loop->counts.drops[TOO_MANY]++;
    else
        return true;
    return false;
}

void has_sent(Transport *transport, uint32_t ssrc, int size)
{
    transport->packets.used += 1;
    transport->octets.used += size;
    if (!has_used(transport, ssrc) && transport->ssrc_count < MAX_SSRCS)
        transport->ssrcs[transport->ssrc_count++] = ssrc;
}

static void wait_for_turn(Loop *loop, Transport *transport, const Header *header, const uint8_t *packet, int size,
                          double now)
{
    Waiting *waiting = NULL;
    if (transport->waiting_count < loop->limits.waiting)
        waiting = malloc(sizeof *waiting + (size_t)size);
    if (!waiting) {
        loop->counts.drops[TOO_MANY]++;
        return;
    }
    waiting->next = NULL;
    waiting->header = *header;
    waiting->at = now;
    waiting->size = size;
    memcpy(waiting->octets, packet, (size_t)size);
    *transport->waiting_end = waiting;
    transport->waiting_end = &waiting->next;
    transport->waiting_count++;
    list_add(&loop->all, QUEUED, transport);
}

Waiting *next_waiting(Transport *transport)
{
    Waiting *first = transport->waiting;
    if (first) {
        transport->waiting = first->next;
        transport->waiting_count--;
        if (!transport->waiting)
            transport->waiting_end = &transport->waiting;
    }
    return first;
}

static void pass_on(Loop *loop, Outbox *out, Transport *transport, const Header *header, const uint8_t *packet,
                    double now)
{
    int64_t numbers[MAX_BLOCKS];
    int count = uplink_take(&loop->all, transport, header, packet, now, &loop->counts, numbers);
    if (transport->missing.count)
        list_add(&loop->all, INCOMPLETE, transport);
    for (int i = 0; i < count; i++) {
        const Packet *kept = history_get(&transport->history, numbers[i]);
        if (kept)
            forward(loop, out, transport->routes, transport->route_count, kept, transport->numbers.contributor, now);
    }
    if (transport->begins && count)
        tell(loop, BEGINS, 0, transport->numbers.number, NULL, "", 0, RECORDS);
}

static void take_rtp(Loop *loop, Outbox *out, Transport *transport, uint8_t *packet, int size, double now)
{
    uint32_t ssrc = (uint32_t)packet[8] << 24 | (uint32_t)packet[9] << 16 | (uint32_t)packet[10] << 8 | packet[11];
    if (!admits(loop, transport, ssrc, now))
        return;
    int status = loop->unprotect(transport->receive, packet, &size);
    if (status) {
        /* libsrtp's replay_fail and replay_old */
        loop->counts.drops[status == 9 || status == 10 ? REPLAYED : UNAUTHENTIC]++;
        return;
    }
    has_sent(transport, ssrc, size);
    transport->heard_at = transport->spoke_at = now;
    Header header;
    if (!header_read(&header, packet, size, transport->numbers.level_id))
        loop->counts.drops[MALFORMED]++;
    else if (transport->waiting || !gets_a_turn(loop, transport))
        wait_for_turn(loop, transport, &header, packet, size, now);
    else
        pass_on(loop, out, transport, &header, packet, now);
}

void take(Loop *loop, Outbox *out, int socket, const uint8_t *address, uint8_t *datagram, int size, double now)
{
    int first = size > 0 ? datagram[0] : 255;
    Transport *transport = transports_at(&loop->all, socket, address);
    if (first >= 128 && first < 192 && size >= MIN_HEADER) {
        int kind = datagram[1] & 0x7F;
        if (!transport || !transport->receive) {
            loop->counts.drops[STRANGER]++;
        } else if (kind >= 64 && kind < 96) {
            uint32_t ssrc = (uint32_t)datagram[4] << 24 | (uint32_t)datagram[5] << 16 | (uint32_t)datagram[6] << 8 |
                            datagram[7];
            if (admits(loop, transport, ssrc, now))
                tell(loop, RTCP, socket, transport->numbers.number, address, datagram, size, OF_PARTICIPANTS);
        } else {
            take_rtp(loop, out, transport, datagram, size, now);
        }
    } else if (first < 4) {
        tell(loop, STUN, socket, 0, address, datagram, size, transport ? OF_PARTICIPANTS : OF_STRANGERS);
    } else if (first >= 20 && first < 64) {
        if (transport)
            tell(loop, DTLS, socket, transport->numbers.number, address, datagram, size, OF_PARTICIPANTS);
        else
            loop->counts.drops[STRANGER]++;
    } else {
        loop->counts.drops[UNREADABLE]++;
    }
}

bool take_turns(Loop *loop, Boxes *boxes, Outbox *out, double now)
{
    List *queued = &loop->all.lists[QUEUED], *incomplete = &loop->all.lists[INCOMPLETE];
    /* In the order in which they came. While others are let in one may leave: who has its place then waits for the next
     * turn. */
    for (int i = 0; i < queued->count;) {
        Transport *transport = queued->items[i];
        while (transport->waiting && gets_a_turn(loop, transport)) {
            Waiting *waiting = next_waiting(transport);
            pass_on(loop, out, transport, &waiting->header, waiting->octets, waiting->at);
            free(waiting);
        }
        if (transport->waiting)
            i++;
        else
            list_remove(&loop->all, QUEUED, transport); /* the last one is at its place now */
        make_room(loop, boxes, out);
    }
    for (int i = incomplete->count; i-- > 0;) {
        Transport *transport = incomplete->items[i];
        uint16_t sequences[MISSING];
        int count = missing_due(&transport->missing, transport->reception.highest, now, sequences);
        if (!transport->missing.count)
            list_remove(&loop->all, INCOMPLETE, transport);
        if (!count)
            continue;
        loop->counts.asked += (uint64_t)count;
        uint8_t question[4 + sizeof sequences];
        memcpy(question, &transport->reception.ssrc, 4);
        memcpy(question + 4, sequences, (size_t)count * 2);
        tell(loop, ASK, 0, transport->numbers.number, NULL, question, 4 + 2 * count, RECORDS);
    }
    return queued->count > 0;
}

bool work_off(Loop *loop, Boxes *boxes, int socket, double now)
{
    Inbox *in = &boxes->in;
    bool last = false, more = false;
    int count = 0;
    for (int round = 1; !last; round++) {
        count = recvmmsg(loop->files[socket], in->messages, INBOX, MSG_DONTWAIT, NULL);
        last = count < INBOX || round == ROUNDS;
        enter(loop);
        Outbox *out = outbox(loop, boxes);
        loop->turn += round == 1;
        for (int i = 0; i < count; i++) {
            int known = loop->address_sizes[socket];
            memset(in->addresses[i] + known, 0, (size_t)(ADDRESS - known));
            in->messages[i].msg_hdr.msg_namelen = ADDRESS; /* for the next time */
            take(loop, out, socket, in->addresses[i], in->octets[i], (int)in->messages[i].msg_len, now);
            make_room(loop, boxes, out);
        }
        if (last)
            more = take_turns(loop, boxes, out, now);
        leave(loop, boxes);
    }
    return more || count == INBOX;
}
