/* One speaker's stream as it comes in, and a listener's as it goes out: no socket, no key, no lock.
 *
 * What is here is what media/rtp.py, red.py, reception.py, missing.py, history.py and sequence.py are to the loop in
 * Python, and the words are theirs: why a rule is as it is stands there. Times are seconds of one monotonic clock. */
#ifndef VOICE_H
#define VOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"

enum {
    MIN_HEADER = 12,
    MAX_PAYLOAD = 1400,
    SILENT = 127,
    MAX_BLOCKS = 8,
    HISTORY = 128,     /* a power of two */
    WORTH = 25,        /* packets back that are worth asking for */
    MISSING = 32,      /* a power of two, more than WORTH */
    RUNS = 16,
    BACK = 250,
    OPUS_CLOCK = 48000,
    FRAME = 960,
};

typedef struct {
    uint8_t payload_type, marker;
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    int payload, end; /* offsets; the padding is taken off */
    int level;        /* -1: none */
} Header;

/* false: not RTP. */
bool header_read(Header *header, const uint8_t *packet, int size, int level_id);

typedef struct {
    int offset, at, size; /* how far back in time, and where in the payload */
} Block;

typedef struct {
    int primary, primary_size;
    int count;
    Block earlier[MAX_BLOCKS]; /* the one right before first */
} Red;

/* false: not RED, or another codec's. */
bool red_read(Red *red, const uint8_t *payload, int size, int payload_type);
/* In place, what red_read has taken before. */
void red_renumber(uint8_t *payload, int size, int payload_type);

typedef struct {
    uint32_t ssrc;
    int64_t highest, base, received, expected_before, received_before;
    double jitter, report_at;
    bool has_transit;
    uint32_t transit, report_ntp;
} Reception;

void reception_begin(Reception *reception, uint32_t ssrc, uint16_t sequence);
int64_t reception_extend(Reception *reception, uint16_t sequence, bool *jumped);
void reception_arrived(Reception *reception, uint32_t timestamp, double now);
void reception_report(Reception *reception, double now, ReportBlock *block);

typedef struct {
    struct {
        int64_t index;
        int asked; /* -1: nothing is missing here */
        double at;
    } wanted[MISSING];
    int count;
} Missing;

void missing_clear(Missing *missing);
void missing_gap(Missing *missing, int64_t last, int64_t index, double now);
bool missing_wants(const Missing *missing, int64_t index);
/* Whether it had been asked for. */
bool missing_came(Missing *missing, int64_t index);
/* The sequence numbers to ask for, into `sequences` (MISSING of them); how many. */
int missing_due(Missing *missing, int64_t highest, double now, uint16_t *sequences);

typedef struct {
    int64_t number;
    uint32_t timestamp;
    uint8_t marker;
    int level; /* the octet of RFC 6464, or -1 */
    uint8_t *data; /* the payload; NULL: nothing is kept here */
    int size;
    int opus, opus_size; /* where in it the plain payload is */
    bool red;            /* `data` is RED, to be passed on whole */
    double at;
} Packet;

typedef struct {
    uint64_t id; /* of no other history, for ever */
    int64_t highest;
    Packet ring[HISTORY];
} History;

void history_begin(History *history, uint64_t id);
void history_clear(History *history);
/* Takes a copy of the payload; NULL when the index was here, or would be older than all that is kept. */
Packet *history_add(History *history, const Packet *packet);
Packet *history_get(History *history, int64_t index);
/* The packets of the last `span` timestamp units in order, into `found` (HISTORY of them); how many. */
int history_latest(History *history, uint32_t span, Packet **found);

typedef struct {
    int64_t first, index_offset;
    uint32_t timestamp_offset;
    uint32_t transport; /* whose history … */
    uint64_t history;   /* … and which of its */
} Run;

typedef struct {
    int64_t first_index, index_offset, last_index;
    uint32_t timestamp_offset, last_timestamp;
    double last_at;
    Run runs[RUNS];
    unsigned run_count; /* all there ever were */
    uint32_t transport;
    uint64_t history;
} OutStream;

typedef struct {
    uint8_t marker;
    uint16_t sequence;
    uint32_t timestamp;
} Mapped;

void stream_begin(OutStream *stream, uint16_t first_sequence, uint32_t first_timestamp);
void stream_switch(OutStream *stream, uint32_t transport, uint64_t history);
/* false: of before the last switch. */
bool stream_map(OutStream *stream, int64_t index, uint32_t timestamp, double now, Mapped *mapped);
const Run *stream_find(const OutStream *stream, uint16_t sequence, int64_t *index);
bool stream_timestamp_at(const OutStream *stream, double now, uint32_t *timestamp);

#endif
