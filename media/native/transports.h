/* Who is there, and who is found by which address: hash tables, and the lists of those who have something to do. */
#ifndef TRANSPORTS_H
#define TRANSPORTS_H

#include "voice.h"

enum { ADDRESS = 28, MAX_SSRCS = 64, BUCKETS = 4096, REPEATED = 256 };

/* So many a second, and no more than `most` at once (media/participant.py). */
typedef struct {
    double rate, most, at, used;
} Allowance;

bool allowance_spent(Allowance *allowance, double now);

typedef struct Transport Transport;

typedef struct {
    uint16_t sequence;
    double at;
} Repeat;

/* A slot of `listener`, which carries the voice of `source` as its `place`-th route. */
typedef struct {
    Slot slot;
    Transport *listener, *source;
    int place;
    OutStream stream;
    uint64_t packets, octets;
    Repeat *repeats; /* REPEATED of them, once it has asked for something */
} Downlink;

typedef struct Known {
    struct Known *next, *next_of_transport;
    Transport *transport;
    int socket;
    uint8_t address[ADDRESS];
} Known;

/* A packet that was authenticated and waits for its turn. */
typedef struct Waiting {
    struct Waiting *next;
    Header header;
    double at;
    int size;
    uint8_t octets[];
} Waiting;

typedef enum { ALL, QUEUED, INCOMPLETE, LISTS } ListName;

typedef struct {
    Transport **items;
    int count, room;
} List;

struct Transport {
    Transport *next; /* in its bucket */
    Numbers numbers;
    int place[LISTS]; /* in each list, or -1 */
    Known *known;
    void *receive;
    /* What forward() looks at for each packet. */
    void *transmit; /* both are libsrtp's */
    uint64_t outbox; /* its row in the Outbox of that number */
    int row;
    int socket; /* -1: nowhere to send to yet */
    uint8_t address[ADDRESS];
    Allowance packets, octets, repeats, questions;
    uint32_t ssrcs[MAX_SSRCS];
    int ssrc_count;
    double heard_at, spoke_at;
    Downlink *slots;
    int slot_count;
    /* What it says: media/uplink.py. */
    Downlink **routes;
    int route_count, route_room;
    bool muted, has_reception, begins, speaks, has_begun;
    Reception reception;
    History history;
    Missing missing;
    int loudest; /* -1: nothing since somebody asked */
    uint32_t speaks_from, word_start;
    double word_at;
    int64_t first; /* no packet below is taken or passed on */
    /* Packets whose turn has not come. */
    Waiting *waiting, **waiting_end;
    int waiting_count, taken;
    uint64_t turn;
};

typedef struct {
    Transport *by_number[BUCKETS];
    Known *by_address[BUCKETS];
    List lists[LISTS];
    uint64_t seed, histories;
} Transports;

Transport *transports_find(const Transports *all, uint32_t number);
Transport *transports_at(const Transports *all, int socket, const uint8_t *address);
void transports_add(Transports *all, const Numbers *numbers, const Slot *slots, int count, const Limits *limits);
void transports_learn(Transports *all, Transport *transport, int socket, const uint8_t *address);
void transports_forget(Transports *all, const Transport *transport, int socket, const uint8_t *address);
void transports_drop(Transports *all, Transport *transport);

void list_add(Transports *all, ListName name, Transport *transport);
void list_remove(Transports *all, ListName name, Transport *transport);

/* false: no memory. */
bool route(Transport *source, Downlink *slot);
void unroute(Downlink *slot);
/* The slots it is heard in go on with what comes next as with another's voice. */
void switch_routes(Transport *transport);

#endif
