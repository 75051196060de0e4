/* The packet loop: its state, and the parts that work on it.
 *
 * One lock guards everything that is shared. It is never held across a system call: what goes out is written to an
 * Outbox, with the address copied, and sent when the lock is free again. The thread and Python have an inbox and an
 * Outbox each, and Python calls from one thread alone. In overload both write to `held`, which the thread sends. */
#ifndef LOOP_H
#define LOOP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sendmmsg and recvmmsg */
#endif
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "uplink.h"

enum {
    STRIDE = 2048,      /* octets a datagram may have; a longer one is cut off, and so fails its authentication */
    INBOX = 64,         /* datagrams taken in by one call */
    ROUNDS = 16,        /* such calls at most before what waits gets its turn */
    BATCH = 256,        /* sent by one call; so many datagrams in an Outbox are sent before the next packet */
    HELD = 4096,        /* datagrams that wait for the end of a tick; full: they are sent at once */
    SEGMENTS = 64,      /* datagrams of one listener in one; the kernel takes no more (UDP_MAX_SEGMENTS) */
    SEGMENT = 1000,     /* octets a segment may have: 64 of them fit a datagram, and one fits any path */
    VECTORS = 1024,
    LONGEST = 1536,     /* octets a datagram that goes out can have: head, payload, tag */
    RECORDS = 1 << 19,  /* octets of records that wait for Python; full: what comes is dropped and counted */
    /* So much of it can be filled from outside: by strangers, and by participants. The rest is for what the loop says. */
    OF_STRANGERS = RECORDS / 2,
    OF_PARTICIPANTS = RECORDS / 4 * 3,
    SOCKETS = 256,      /* a record names one by an octet */
};
typedef enum { STUN, DTLS, RTCP, ASK, BEGINS, SEND } Kind;

typedef int (*Crypt)(void *context, void *packet, int *size);

typedef struct {
    uint8_t octets[INBOX][STRIDE];
    uint8_t addresses[INBOX][ADDRESS];
    struct iovec vectors[INBOX];
    struct mmsghdr messages[INBOX];
} Inbox;

typedef struct {
    size_t at;
    int size, socket;
    int next; /* of its row; -1: the last */
    uint8_t address[ADDRESS];
} Datagram;

/* The datagrams of one listener, up to SEGMENTS of them. */
typedef struct {
    int first, last, count;
} Row;

typedef struct {
    Datagram *datagrams;
    int count, room;
    uint8_t *octets;
    size_t used, octets_room;
    /* In overload. */
    Row *rows;
    int row_count, row_room;
    uint64_t number; /* of no other one: by it a listener knows whether its row is here */
} Outbox;

/* What is given to the kernel at once. */
typedef struct {
    int count, used;
    bool waits; /* may, once, until a full buffer has room */
    struct iovec vectors[VECTORS];
    struct mmsghdr messages[BATCH];
    union {
        struct cmsghdr align;
        uint8_t octets[CMSG_SPACE(sizeof(uint16_t))];
    } controls[BATCH];
} Post;

typedef struct {
    Inbox in;
    Outbox out;
    Post post;
} Boxes;

struct Loop {
    pthread_mutex_t lock;
    Crypt protect, unprotect;
    int sockets, files[SOCKETS], address_sizes[SOCKETS];
    Limits limits;
    Transports all;
    Counts counts;
    uint64_t unsent, together; /* its `unsent` and `segments`, which are counted without the lock */
    uint64_t turn, outboxes;
    /* Overload: there are rows, and with `ticking`, which is the thread's alone to change, they wait for its tick. */
    bool overloaded, ticking;
    bool segments[SOCKETS]; /* whether the socket's kernel and device take them */
    Outbox held;
    /* Records are written to one half, while Python reads the other. */
    uint8_t *records[2];
    int half, records_used;
    bool told; /* that there are records */
    int event, stop;
    bool running;
    pthread_t thread;
    Boxes ours, pythons;
};

/* boxes.c */
void *allocated(void *memory); /* ends the process where there is none */
void boxes_begin(Boxes *boxes);
/* Writes a record for Python, unless more than `most` octets wait; then that is counted. */
void tell(Loop *loop, Kind kind, int socket, uint32_t number, const uint8_t *address, const void *octets, int size,
          int most);
void enter(Loop *loop);
/* Lets others in, sends what has been written to these boxes (NULL: to none), and tells Python if there is something
 * for it. */
void leave(Loop *loop, Boxes *boxes);
/* With the lock: where what is written now goes. */
Outbox *outbox(Loop *loop, Boxes *boxes);
/* To be called with the lock; others may be let in. */
void make_room(Loop *loop, Boxes *boxes, Outbox *out);

/* The same for what was held until now, by the thread. */
void release(Loop *loop);

/* sending.c */
bool can_segment(const Loop *loop, int socket);
/* Room for LONGEST octets. */
uint8_t *outbox_room(Outbox *out);
/* Counts what was written there, for this listener. */
void outbox_add(Loop *loop, Outbox *out, Transport *listener, int size);
void outbox_free(Outbox *out);
/* Without the lock. */
void send_out(Loop *loop, Boxes *boxes);

/* forward.c */
bool can_be_sent_to(const Transport *transport);
/* Writes one packet for one listener, encrypted; the payload's size, or -1 when that cannot be. */
int put(Loop *loop, Outbox *out, const Downlink *slot, const Packet *packet, const Mapped *mapped,
        uint32_t contributor);
/* The hot path: once a packet and listener. */
void forward(Loop *loop, Outbox *out, Downlink **routes, int count, const Packet *packet, uint32_t contributor,
             double now);

/* loop.c */
/* To be called with the lock. */
void take(Loop *loop, Outbox *out, int socket, const uint8_t *address, uint8_t *datagram, int size, double now);
/* What waits gets its turn, and speakers are asked for what is missing; whether something waits still. */
bool take_turns(Loop *loop, Boxes *boxes, Outbox *out, double now);
/* Reads a socket until it is empty, a while at most, and then takes turns; whether something waits still. */
bool work_off(Loop *loop, Boxes *boxes, int socket, double now);
void has_sent(Transport *transport, uint32_t ssrc, int size);
/* To be freed; NULL: nothing waits. */
Waiting *next_waiting(Transport *transport);

/* thread.c */
void *run(void *loop);

#endif
