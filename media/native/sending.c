/* Datagrams on their way to the kernel: each by itself, or in overload those of one listener as one.
 *
 * UDP_SEGMENT has the kernel cut a datagram into segments of one size, of which the last may be shorter: the way
 * through the kernel, most of what a packet costs, is gone once for all of them. */
#include "loop.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* How long a full buffer of the kernel is waited for, milliseconds: in overload much is sent at once. */
static const int PATIENCE = 5;

bool can_segment(const Loop *loop, int socket)
{
    /* A kernel before 4.18 would not refuse it, but send all segments as one datagram. */
    int size;
    socklen_t length = sizeof size;
    return loop->files[socket] >= 0 && getsockopt(loop->files[socket], IPPROTO_UDP, UDP_SEGMENT, &size, &length) == 0;
}

uint8_t *outbox_room(Outbox *out)
{
    if (out->used + LONGEST > out->octets_room) {
        out->octets_room = 2 * out->octets_room + BATCH * LONGEST / 4;
        out->octets = allocated(realloc(out->octets, out->octets_room));
    }
    return out->octets + out->used;
}

/* Puts the datagram that is the last of `out` into its listener's row. */
static void line_up(Loop *loop, Outbox *out, Transport *listener)
{
    int index = out->count - 1;
    Datagram *datagram = &out->datagrams[index];
    if (!out->row_count)
        out->number = ++loop->outboxes;
    if (listener->outbox == out->number) {
        Row *row = &out->rows[listener->row];
        Datagram *last = &out->datagrams[row->last];
        if (row->count < SEGMENTS && last->socket == datagram->socket &&
            memcmp(last->address, datagram->address, ADDRESS) == 0) {
            row->last = last->next = index;
            row->count++;
            return;
        }
    }
    if (out->row_count == out->row_room) {
        out->row_room = out->row_room ? 2 * out->row_room : BATCH;
        out->rows = allocated(realloc(out->rows, (size_t)out->row_room * sizeof(Row)));
    }
    listener->outbox = out->number;
    listener->row = out->row_count;
    out->rows[out->row_count++] = (Row){index, index, 1};
}

void outbox_add(Loop *loop, Outbox *out, Transport *listener, int size)
{
    if (out->count == out->room) {
        out->room = out->room ? 2 * out->room : BATCH;
        out->datagrams = allocated(realloc(out->datagrams, (size_t)out->room * sizeof(Datagram)));
    }
    Datagram *datagram = &out->datagrams[out->count++];
    datagram->at = out->used;
    datagram->size = size;
    datagram->socket = listener->socket;
    datagram->next = -1;
    memcpy(datagram->address, listener->address, ADDRESS);
    out->used += ((size_t)size + 15) & ~(size_t)15;
    if (loop->overloaded)
        line_up(loop, out, listener);
}

void outbox_free(Outbox *out)
{
    free(out->datagrams);
    free(out->octets);
    free(out->rows);
}

/* --- to the kernel ----------------------------------------------------------------------------------------------- */

static void count(uint64_t *counter, size_t more)
{
    __atomic_fetch_add(counter, more, __ATOMIC_RELAXED);
}

/* What was not taken as one is sent as many. Where that goes, it is segments that do not: a device that leaves
 * checksums to us, a tunnel with tiny packets. The socket then sends none any more. */
static void send_singly(Loop *loop, int socket, const struct msghdr *refused)
{
    bool goes = false;
    for (size_t i = 0; i < refused->msg_iovlen; i++) {
        struct msghdr single = {.msg_name = refused->msg_name,
                                .msg_namelen = refused->msg_namelen,
                                .msg_iov = &refused->msg_iov[i],
                                .msg_iovlen = 1};
        if (sendmsg(loop->files[socket], &single, MSG_DONTWAIT) >= 0)
            goes = true;
        else
            count(&loop->unsent, 1);
    }
    if (goes)
        __atomic_store_n(&loop->segments[socket], false, __ATOMIC_RELAXED);
}

static void deliver(Loop *loop, Post *post, int socket)
{
    int sent = 0;
    while (sent < post->count) {
        struct mmsghdr *first = &post->messages[sent];
        int done = sendmmsg(loop->files[socket], post->messages + sent, (unsigned)(post->count - sent), MSG_DONTWAIT);
        if (done > 0) {
            for (int i = 0; i < done; i++)
                if (first[i].msg_hdr.msg_iovlen > 1)
                    count(&loop->together, first[i].msg_hdr.msg_iovlen);
            sent += done;
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            struct pollfd file = {.fd = loop->files[socket], .events = POLLOUT};
            if (post->waits && poll(&file, 1, PATIENCE) > 0) {
                post->waits = false;
                continue;
            }
            /* A voice packet that waits is worth less than the next one. */
            for (; sent < post->count; sent++)
                count(&loop->unsent, post->messages[sent].msg_hdr.msg_iovlen);
        } else if (errno != EINTR) {
            /* The first of them is the culprit. The others go on. */
            if (first->msg_hdr.msg_iovlen > 1)
                send_singly(loop, socket, &first->msg_hdr);
            else /* an address that cannot be reached */
                count(&loop->unsent, 1);
            sent++;
        }
    }
    post->count = post->used = 0;
}

/* These datagrams of one listener as one. */
static void add(Loop *loop, Boxes *boxes, Datagram **parts, int number)
{
    Post *post = &boxes->post;
    int socket = parts[0]->socket;
    if (post->count == BATCH || post->used + number > VECTORS)
        deliver(loop, post, socket);
    struct iovec *vectors = &post->vectors[post->used];
    for (int i = 0; i < number; i++)
        vectors[i] = (struct iovec){boxes->out.octets + parts[i]->at, (size_t)parts[i]->size};
    struct msghdr *message = &post->messages[post->count].msg_hdr;
    *message = (struct msghdr){
        .msg_name = parts[0]->address,
        .msg_namelen = (socklen_t)loop->address_sizes[socket],
        .msg_iov = vectors,
        .msg_iovlen = (size_t)number,
    };
    if (number > 1) {
        uint16_t size = (uint16_t)parts[0]->size;
        message->msg_control = post->controls[post->count].octets;
        message->msg_controllen = CMSG_SPACE(sizeof size);
        struct cmsghdr *control = CMSG_FIRSTHDR(message);
        *control = (struct cmsghdr){
            .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof size)};
        memcpy(CMSG_DATA(control), &size, sizeof size);
    }
    post->used += number;
    post->count++;
}

static bool of_one_stream(const Outbox *out, const Datagram *one, const Datagram *other)
{
    return memcmp(out->octets + one->at + 8, out->octets + other->at + 8, 4) == 0; /* the SSRC */
}

/* The long ones first, as far as each stream's order allows; then as many as will go in one are taken, and so on. */
static void add_row(Loop *loop, Boxes *boxes, const Row *row, bool segments)
{
    Outbox *out = &boxes->out;
    Datagram *parts[SEGMENTS];
    int number = 0;
    for (int i = row->first; i >= 0; i = out->datagrams[i].next) {
        Datagram *next = &out->datagrams[i];
        int place = number++;
        while (segments && place && parts[place - 1]->size < next->size && !of_one_stream(out, parts[place - 1], next)) {
            parts[place] = parts[place - 1];
            place--;
        }
        parts[place] = next;
    }
    for (int first = 0, after; first < number; first = after) {
        int size = parts[first]->size;
        after = first + 1;
        while (segments && size <= SEGMENT && after < number && parts[after]->size <= size &&
               parts[after - 1]->size == size)
            after++;
        add(loop, boxes, parts + first, after - first);
    }
}

void send_out(Loop *loop, Boxes *boxes)
{
    Outbox *out = &boxes->out;
    for (int socket = 0; socket < loop->sockets; socket++) {
        if (loop->files[socket] < 0)
            continue;
        bool segments = __atomic_load_n(&loop->segments[socket], __ATOMIC_RELAXED);
        boxes->post.waits = boxes == &loop->ours && loop->ticking;
        if (out->row_count) {
            for (int i = 0; i < out->row_count; i++)
                if (out->datagrams[out->rows[i].first].socket == socket)
                    add_row(loop, boxes, &out->rows[i], segments);
        } else {
            for (int i = 0; i < out->count; i++) {
                Datagram *datagram = &out->datagrams[i];
                if (datagram->socket == socket)
                    add(loop, boxes, &datagram, 1);
            }
        }
        deliver(loop, &boxes->post, socket);
    }
    out->count = out->row_count = 0;
    out->used = 0;
}
