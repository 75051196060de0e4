/* What Python calls (api.h says what each does). */
#include "loop.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

/* A packet is not repeated twice within this time, seconds. */
static const double PAUSE = 0.03;

Loop *loop_new(void *protect, void *unprotect, int sockets, const int *files, const int *address_sizes,
               const Limits *limits)
{
    if (sockets > SOCKETS || limits->ssrcs > MAX_SSRCS)
        return NULL;
    Loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    pthread_mutex_init(&loop->lock, NULL);
    memcpy(&loop->protect, &protect, sizeof protect);
    memcpy(&loop->unprotect, &unprotect, sizeof unprotect);
    loop->sockets = sockets;
    memcpy(loop->files, files, (size_t)sockets * sizeof *files);
    memcpy(loop->address_sizes, address_sizes, (size_t)sockets * sizeof *address_sizes);
    loop->limits = *limits;
    bool segments = false;
    for (int i = 0; i < sockets; i++)
        segments |= loop->segments[i] = can_segment(loop, i);
    loop->overloaded = limits->overload_begins < 0 && segments;
    if (getrandom(&loop->all.seed, sizeof loop->all.seed, 0) < 0)
        loop->all.seed = (uint64_t)(uintptr_t)loop;
    for (int i = 0; i < 2; i++)
        loop->records[i] = allocated(malloc(RECORDS));
    loop->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->stop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    boxes_begin(&loop->ours);
    boxes_begin(&loop->pythons);
    if (loop->event < 0 || loop->stop < 0) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(Loop *loop)
{
    loop_stop(loop);
    while (loop->all.lists[ALL].count)
        transports_drop(&loop->all, loop->all.lists[ALL].items[0]);
    for (int i = 0; i < LISTS; i++)
        free(loop->all.lists[i].items);
    for (int i = 0; i < 2; i++)
        free(loop->records[i]);
    outbox_free(&loop->ours.out);
    outbox_free(&loop->pythons.out);
    outbox_free(&loop->held);
    close(loop->event);
    close(loop->stop);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

int loop_start(Loop *loop)
{
    /* Signals are Python's: its thread is woken by them, and this one is not interrupted. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&loop->thread, NULL, run, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed) {
        pthread_setname_np(loop->thread, "packets");
        loop->running = true;
    }
    return failed;
}

void loop_stop(Loop *loop)
{
    if (loop->running) {
        loop->running = false;
        eventfd_write(loop->stop, 1);
        pthread_join(loop->thread, NULL);
    }
}

int loop_event(Loop *loop)
{
    return loop->event;
}

void loop_add(Loop *loop, const Numbers *numbers, const Slot *slots, int count)
{
    enter(loop);
    transports_add(&loop->all, numbers, slots, count, &loop->limits);
    leave(loop, NULL);
}

/* Enters, and finds the transport; Python knows which there are, so NULL comes of nothing but a mistake there. */
static Transport *enter_at(Loop *loop, uint32_t number)
{
    enter(loop);
    return transports_find(&loop->all, number);
}

void loop_set_keys(Loop *loop, uint32_t number, void *receive, void *transmit)
{
    Transport *transport = enter_at(loop, number);
    if (transport) {
        transport->receive = receive;
        transport->transmit = transmit;
    }
    leave(loop, NULL);
}

void loop_learn(Loop *loop, uint32_t number, int socket, const uint8_t *address)
{
    Transport *transport = enter_at(loop, number);
    if (transport)
        transports_learn(&loop->all, transport, socket, address);
    leave(loop, NULL);
}

void loop_forget(Loop *loop, uint32_t number, int socket, const uint8_t *address)
{
    Transport *transport = enter_at(loop, number);
    if (transport)
        transports_forget(&loop->all, transport, socket, address);
    leave(loop, NULL);
}

void loop_aim(Loop *loop, uint32_t number, int socket, const uint8_t *address)
{
    Transport *transport = enter_at(loop, number);
    if (transport) {
        transport->socket = socket;
        memcpy(transport->address, address, ADDRESS);
    }
    leave(loop, NULL);
}

void loop_drop(Loop *loop, uint32_t number)
{
    Transport *transport = enter_at(loop, number);
    if (transport)
        transports_drop(&loop->all, transport);
    leave(loop, NULL);
}

void loop_route(Loop *loop, uint32_t source, uint32_t listener, int slot, int catch_up)
{
    Transport *to = enter_at(loop, listener), *from = transports_find(&loop->all, source);
    Outbox *out = outbox(loop, &loop->pythons);
    if (to && from && slot < to->slot_count) {
        Downlink *downlink = &to->slots[slot];
        unroute(downlink);
        if (route(from, downlink) && catch_up) {
            Packet *said[HISTORY];
            int count = uplink_just_said(from, said);
            for (int i = 0; i < count; i++)
                forward(loop, out, &downlink, 1, said[i], from->numbers.contributor, said[i]->at);
        }
    }
    leave(loop, &loop->pythons);
}

void loop_unroute(Loop *loop, uint32_t listener, int slot)
{
    Transport *to = enter_at(loop, listener);
    if (to && slot < to->slot_count)
        unroute(&to->slots[slot]);
    leave(loop, NULL);
}

void loop_mute(Loop *loop, uint32_t number, int muted)
{
    Transport *transport = enter_at(loop, number);
    if (transport && transport->muted != (muted != 0)) {
        /* What waits was said before, so a mute drops it, and what was said muted stays unsaid. */
        uplink_set_muted(transport, true);
        for (Waiting *waiting; (waiting = next_waiting(transport));) {
            int64_t none[MAX_BLOCKS];
            uplink_take(&loop->all, transport, &waiting->header, waiting->octets, waiting->at, &loop->counts, none);
            free(waiting);
        }
        uplink_set_muted(transport, muted != 0);
    }
    leave(loop, NULL);
}

static bool just_repeated(Downlink *slot, uint16_t sequence, double now)
{
    if (!slot->repeats) {
        slot->repeats = allocated(malloc(REPEATED * sizeof(Repeat)));
        for (int i = 0; i < REPEATED; i++)
            slot->repeats[i].at = -INFINITY;
    }
    Repeat *last = &slot->repeats[sequence % REPEATED];
    if (last->sequence == sequence && now - last->at < PAUSE)
        return true;
    *last = (Repeat){sequence, now};
    return false;
}

static void repeat_one(Loop *loop, Transport *transport, Downlink *slot, uint16_t sequence, double now)
{
    int64_t index;
    const Run *run = stream_find(&slot->stream, sequence, &index);
    Transport *source = run ? transports_find(&loop->all, run->transport) : NULL;
    Packet *packet = source && source->history.id == run->history ? history_get(&source->history, index) : NULL;
    if (!packet) {
        loop->counts.drops[UNKNOWN_REPEAT]++;
        return;
    }
    if (just_repeated(slot, sequence, now))
        return;
    if (allowance_spent(&transport->repeats, now)) {
        loop->counts.drops[TOO_MANY_REPEATS]++;
        return;
    }
    transport->repeats.used += 1;
    bool first = index + run->index_offset == run->first;
    Mapped mapped = {first ? 0x80 : 0, sequence, packet->timestamp + run->timestamp_offset};
    if (put(loop, outbox(loop, &loop->pythons), slot, packet, &mapped, source->numbers.contributor) >= 0)
        loop->counts.repeated++;
}

void loop_repeat(Loop *loop, uint32_t number, int slot, const uint16_t *sequences, int count, double now)
{
    Transport *transport = enter_at(loop, number);
    if (transport && slot < transport->slot_count && can_be_sent_to(transport)) {
        for (int i = 0; i < count; i++) {
            if (allowance_spent(&transport->questions, now)) {
                loop->counts.drops[TOO_MANY_REPEATS]++;
                continue;
            }
            transport->questions.used += 1;
            repeat_one(loop, transport, &transport->slots[slot], sequences[i], now);
        }
    }
    leave(loop, &loop->pythons);
}

void loop_heard(Loop *loop, uint32_t number, double *heard)
{
    Transport *transport = enter_at(loop, number);
    heard[0] = transport ? transport->heard_at : NAN;
    heard[1] = transport ? transport->spoke_at : NAN;
    leave(loop, NULL);
}

int loop_levels(Loop *loop, uint32_t *numbers, uint8_t *levels, int room)
{
    int count = 0;
    enter(loop);
    List *all = &loop->all.lists[ALL];
    for (int i = 0; i < all->count && count < room; i++) {
        Transport *transport = all->items[i];
        if (transport->loudest >= 0) {
            numbers[count] = transport->numbers.number;
            levels[count++] = (uint8_t)transport->loudest;
            transport->loudest = -1;
        }
    }
    leave(loop, NULL);
    return count;
}

void loop_sender_reported(Loop *loop, uint32_t number, uint32_t ssrc, uint32_t ntp_middle, double now)
{
    Transport *transport = enter_at(loop, number);
    if (transport && transport->has_reception && transport->reception.ssrc == ssrc) {
        transport->reception.report_ntp = ntp_middle;
        transport->reception.report_at = now;
    }
    leave(loop, NULL);
}

int loop_report(Loop *loop, uint32_t number, double now, ReportBlock *block)
{
    Transport *transport = enter_at(loop, number);
    int known = transport && transport->has_reception;
    if (known)
        reception_report(&transport->reception, now, block);
    leave(loop, NULL);
    return known;
}

int loop_sent(Loop *loop, uint32_t number, double now, Sent *streams)
{
    int count = 0;
    Transport *transport = enter_at(loop, number);
    for (int i = 0; transport && i < transport->slot_count; i++) {
        Downlink *slot = &transport->slots[i];
        if (stream_timestamp_at(&slot->stream, now, &streams[count].timestamp)) {
            streams[count].ssrc = slot->slot.ssrc;
            streams[count].packets = slot->packets;
            streams[count++].octets = slot->octets;
        }
    }
    leave(loop, NULL);
    return count;
}

void loop_counts(Loop *loop, Counts *counts)
{
    enter(loop);
    *counts = loop->counts;
    counts->overloaded = loop->overloaded;
    counts->unsent = __atomic_load_n(&loop->unsent, __ATOMIC_RELAXED);
    counts->segments = __atomic_load_n(&loop->together, __ATOMIC_RELAXED);
    leave(loop, NULL);
}

void loop_count_drop(Loop *loop, int reason)
{
    enter(loop);
    loop->counts.drops[reason]++;
    leave(loop, NULL);
}

void loop_rtcp_was_authentic(Loop *loop, uint32_t number, uint32_t ssrc, int octets, double now)
{
    Transport *transport = enter_at(loop, number);
    if (transport) {
        has_sent(transport, ssrc, octets);
        transport->heard_at = now;
    }
    leave(loop, NULL);
}

int loop_poll(Loop *loop, int socket, double now)
{
    return work_off(loop, &loop->pythons, socket, now);
}

void loop_take(Loop *loop, int socket, const uint8_t *address, const uint8_t *octets, int size, double now)
{
    uint8_t datagram[STRIDE];
    if (size > STRIDE)
        return;
    memcpy(datagram, octets, (size_t)size);
    enter(loop);
    take(loop, outbox(loop, &loop->pythons), socket, address, datagram, size, now);
    leave(loop, &loop->pythons);
}

int loop_take_turns(Loop *loop, double now)
{
    enter(loop);
    int more = take_turns(loop, &loop->pythons, outbox(loop, &loop->pythons), now);
    loop->turn++; /* of those that were taken before */
    leave(loop, &loop->pythons);
    return more;
}

const uint8_t *loop_records(Loop *loop, int *octets)
{
    enter(loop);
    const uint8_t *records = loop->records[loop->half];
    *octets = loop->records_used;
    loop->half = !loop->half;
    loop->records_used = 0;
    loop->told = false;
    leave(loop, NULL);
    return records;
}
