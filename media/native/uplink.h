/* What one participant sends, made ready for those who listen: media/uplink.py in C. */
#ifndef UPLINK_H
#define UPLINK_H

#include "transports.h"

/* As media/packet_loop.py has them; tests/media/test_native_loop.py compares. */
typedef enum {
    STRANGER,
    UNREADABLE,
    UNAUTHENTIC,
    REPLAYED,
    TOO_MANY,
    TOO_MANY_SSRCS,
    MALFORMED,
    UNEXPECTED,
    EMPTY,
    TOO_LONG,
    MUTED,
    LATE,
    UNENCRYPTABLE,
    UNKNOWN_REPEAT,
    TOO_MANY_REPEATS,
    UNATTENDED,
} Drop;

/* Takes an authentic packet; the numbers of what is to be forwarded, in order, into `numbers` (MAX_BLOCKS of them). */
int uplink_take(Transports *all, Transport *transport, const Header *header, const uint8_t *packet, double now,
                Counts *counts, int64_t *numbers);
/* Nothing that was said so far goes out again. */
void uplink_forget(Transport *transport);
void uplink_set_muted(Transport *transport, bool muted);
/* What somebody has to get who is given the voice now, in order, into `found` (HISTORY of them); how many. */
int uplink_just_said(Transport *transport, Packet **found);

#endif
