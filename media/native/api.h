/* What Python may call: media/native_loop.py reads this file as it is. The loop's thread never takes the GIL. */

typedef struct Loop Loop;

typedef struct {
    double packets, packets_at_once, octets, octets_at_once, repeats, questions;
    int waiting, ssrcs, turn;
    /* Busy shares of the thread's time, 0 to 1: past the first one the overload mode begins, below the second it ends.
     * Below 0: from the start and always. */
    double overload_begins, overload_ends;
} Limits;

typedef struct {
    uint32_t ssrc;
    uint8_t payload_type, red_payload_type;
    uint8_t has_level;
    uint8_t head_size;
    uint16_t first_sequence;
    uint32_t first_timestamp;
    uint8_t head[48]; /* everything before the payload, with zeros for what differs from packet to packet */
} Slot;

typedef struct {
    uint32_t number, contributor;
    int payload_type; /* -1: it only listens */
    int red_payload_type, level_id;
} Numbers;

typedef struct {
    uint64_t received, forwarded, recovered, asked, repeated, unsent;
    uint64_t drops[16];
    uint64_t overloaded; /* 1: now */
    uint64_t overloads, ticks, segments;
} Counts;

typedef struct {
    uint32_t ssrc, fraction_lost;
    int32_t cumulative_lost;
    uint32_t highest, jitter, last_report, delay;
} ReportBlock;

typedef struct {
    uint32_t ssrc, timestamp;
    uint64_t packets, octets;
} Sent;

/* What Python has to see to itself: STUN, DTLS, RTCP, what is missing, who begins to speak, and what goes out by a
 * socket that is Python's. */
typedef struct {
    uint32_t size; /* of the whole record, a multiple of 8 */
    uint8_t kind, socket;
    uint16_t octets; /* that follow */
    uint32_t number;
    uint8_t address[28];
} Record;

/* `files` has -1 for a socket that Python reads and writes. */
Loop *loop_new(void *protect, void *unprotect, int sockets, const int *files, const int *address_sizes,
               const Limits *limits);
void loop_free(Loop *loop);
int loop_start(Loop *loop); /* 0, or an errno */
void loop_stop(Loop *loop);
int loop_event(Loop *loop); /* a file that is readable when there are records */

void loop_add(Loop *loop, const Numbers *numbers, const Slot *slots, int count);
void loop_set_keys(Loop *loop, uint32_t number, void *receive, void *transmit);
void loop_learn(Loop *loop, uint32_t number, int socket, const uint8_t *address);
void loop_forget(Loop *loop, uint32_t number, int socket, const uint8_t *address);
void loop_aim(Loop *loop, uint32_t number, int socket, const uint8_t *address);
void loop_drop(Loop *loop, uint32_t number);
void loop_route(Loop *loop, uint32_t source, uint32_t listener, int slot, int catch_up);
void loop_unroute(Loop *loop, uint32_t listener, int slot);
void loop_mute(Loop *loop, uint32_t number, int muted);
void loop_repeat(Loop *loop, uint32_t number, int slot, const uint16_t *sequences, int count, double now);

void loop_heard(Loop *loop, uint32_t number, double *heard); /* two of them; NaN: never */
int loop_levels(Loop *loop, uint32_t *numbers, uint8_t *levels, int room);
void loop_sender_reported(Loop *loop, uint32_t number, uint32_t ssrc, uint32_t ntp_middle, double now);
int loop_report(Loop *loop, uint32_t number, double now, ReportBlock *block);
int loop_sent(Loop *loop, uint32_t number, double now, Sent *streams);
void loop_counts(Loop *loop, Counts *counts);
void loop_count_drop(Loop *loop, int reason);
void loop_rtcp_was_authentic(Loop *loop, uint32_t number, uint32_t ssrc, int octets, double now);

/* What the thread does with a socket, where there is none; 1: something waits still. */
int loop_poll(Loop *loop, int socket, double now);
/* Datagrams that Python has read: each, and then the turns; 1: something waits still. */
void loop_take(Loop *loop, int socket, const uint8_t *address, const uint8_t *octets, int size, double now);
int loop_take_turns(Loop *loop, double now);
/* The records since the last call; they stay until the next one. */
const uint8_t *loop_records(Loop *loop, int *octets);
