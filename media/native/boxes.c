/* Datagrams and records that come and go. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

void *allocated(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void boxes_begin(Boxes *boxes)
{
    Inbox *in = &boxes->in;
    for (int i = 0; i < INBOX; i++) {
        in->vectors[i] = (struct iovec){in->octets[i], STRIDE};
        in->messages[i].msg_hdr =
            (struct msghdr){.msg_name = in->addresses[i],
                            .msg_namelen = ADDRESS,
                            .msg_iov = &in->vectors[i],
                            .msg_iovlen = 1};
    }
}

/* --- to Python --------------------------------------------------------------------------------------------------- */

void tell(Loop *loop, Kind kind, int socket, uint32_t number, const uint8_t *address, const void *octets, int size,
          int most)
{
    int whole = ((int)sizeof(Record) + size + 7) & ~7;
    if (loop->records_used + whole > most) {
        loop->counts.drops[UNATTENDED]++;
        return;
    }
    uint8_t *at = loop->records[loop->half] + loop->records_used;
    Record *record = (Record *)at;
    memset(record, 0, sizeof *record);
    record->size = (uint32_t)whole;
    record->kind = (uint8_t)kind;
    record->socket = (uint8_t)socket;
    record->octets = (uint16_t)size;
    record->number = number;
    if (address)
        memcpy(record->address, address, ADDRESS);
    memcpy(at + sizeof *record, octets, (size_t)size);
    loop->records_used += whole;
}

/* --- the lock ---------------------------------------------------------------------------------------------------- */

void enter(Loop *loop)
{
    pthread_mutex_lock(&loop->lock);
}

void leave(Loop *loop, Boxes *boxes)
{
    bool tells = loop->records_used && !loop->told;
    if (tells)
        loop->told = true;
    pthread_mutex_unlock(&loop->lock);
    if (boxes && boxes->out.count)
        send_out(loop, boxes);
    if (tells)
        eventfd_write(loop->event, 1);
}

Outbox *outbox(Loop *loop, Boxes *boxes)
{
    /* Python cannot send what is held; where too much is, its own goes at once. */
    bool holds = loop->ticking && (boxes == &loop->ours || loop->held.count < HELD);
    return holds ? &loop->held : &boxes->out;
}

void make_room(Loop *loop, Boxes *boxes, Outbox *out)
{
    if (out == &loop->held && out->count >= HELD && boxes == &loop->ours) {
        release(loop);
        enter(loop);
    } else if (out == &boxes->out && out->count >= BATCH) {
        leave(loop, boxes);
        enter(loop);
    }
}

void release(Loop *loop)
{
    Outbox held = loop->held;
    loop->held = loop->ours.out;
    loop->ours.out = held;
    leave(loop, &loop->ours);
}
