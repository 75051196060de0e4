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
            (struct msghdr){.msg_name = in->addresses[i], .msg_iov = &in->vectors[i], .msg_iovlen = 1};
    }
}

void boxes_free(Boxes *boxes)
{
    free(boxes->out.datagrams);
    free(boxes->out.octets);
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

/* --- sending ----------------------------------------------------------------------------------------------------- */

static void send_out(Loop *loop, Outbox *out)
{
    for (int socket = 0, left = out->count; left && socket < loop->sockets; socket++) {
        if (loop->files[socket] < 0)
            continue;
        for (int next = 0; next < out->count;) {
            int count = 0, sent = 0;
            for (; next < out->count && count < BATCH; next++) {
                Datagram *datagram = &out->datagrams[next];
                if (datagram->socket != socket)
                    continue;
                out->vectors[count] = (struct iovec){out->octets + datagram->at, (size_t)datagram->size};
                out->messages[count].msg_hdr = (struct msghdr){
                    .msg_name = datagram->address,
                    .msg_namelen = (socklen_t)loop->address_sizes[socket],
                    .msg_iov = &out->vectors[count],
                    .msg_iovlen = 1,
                };
                count++;
            }
            left -= count;
            while (sent < count) {
                int done = sendmmsg(loop->files[socket], out->messages + sent, (unsigned)(count - sent), MSG_DONTWAIT);
                if (done > 0) {
                    sent += done;
                } else if (errno == EAGAIN || errno == ENOBUFS) {
                    /* A voice packet that waits is worth less than the next one. */
                    __atomic_fetch_add(&loop->counts.unsent, (uint64_t)(count - sent), __ATOMIC_RELAXED);
                    break;
                } else if (errno != EINTR) {
                    /* The first of them is the culprit: an address that cannot be reached. The others go on. */
                    __atomic_fetch_add(&loop->counts.unsent, 1, __ATOMIC_RELAXED);
                    sent++;
                }
            }
        }
    }
    out->count = 0;
    out->used = 0;
}

void enter(Loop *loop)
{
    pthread_mutex_lock(&loop->lock);
}

void leave(Loop *loop, Outbox *out)
{
    bool tells = loop->records_used && !loop->told;
    if (tells)
        loop->told = true;
    pthread_mutex_unlock(&loop->lock);
    if (out && out->count)
        send_out(loop, out);
    if (tells)
        eventfd_write(loop->event, 1);
}

void make_room(Loop *loop, Outbox *out)
{
    if (out->count >= BATCH) {
        leave(loop, out);
        enter(loop);
    }
}
