"""One continuous out-stream a slot, whoever speaks in it.

A slot's listener sees a single RTP stream: its sequence numbers go up by one and its timestamps by the
time that passed, through every change of speaker, every mute and every restart of a source. Losses and
reordering on a speaker's way to the worker are passed on as they are, so that the listener's decoder can
conceal them.

Sequence numbers come in extended (they never wrap, see `media/reception.py`) and go out as 16 bits.
Time is an argument, in seconds of any monotonic clock.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from media.history import History

OPUS_CLOCK: Final = 48_000
#: The shortest step of the timestamp at a switch: one Opus frame of 20 ms, so that the first packet of a
#: new speaker never overlaps the last one of the old.
MIN_STEP: Final = 960

#: Runs remembered for answering who asks again. Full: the oldest goes.
_RUNS: Final = 16
#: How far back a packet can be asked for again; SRTP's own window must not be shorter.
_BACK: Final = 250
_NOT_ANCHORED: Final = 1 << 62


class Run(NamedTuple):
    """A piece of the stream from one source: what has to be added to an index and to a timestamp of it.

    `first` is the outgoing number, not wrapped, that it starts with.
    """

    first: int
    index_offset: int
    timestamp_offset: int
    source: History | None


class OutStream:
    """Maps the packets of one source after another onto one stream.

    Two different packets never get the same sequence number: a source's numbers are mapped by one
    constant while it stays, each new source starts above everything sent before, and packets of before
    its first are refused. With AES-GCM a repeat with another text would give the key away.

    `first_sequence` must be below 32768: a receiver that loses the packet with the first wrap would
    otherwise guess the rollover counter wrong (RFC 3711, section 3.3.1).
    """

    __slots__ = (
        "_clock_rate",
        "_first_index",
        "_index_offset",
        "_last_at",
        "_last_index",
        "_last_timestamp",
        "_runs",
        "_source",
        "_timestamp_offset",
    )

    def __init__(self, first_sequence: int, first_timestamp: int, clock_rate: int = OPUS_CLOCK) -> None:
        if not 0 <= first_sequence < 0x8000:
            raise ValueError("an out-stream starts below 32768")
        self._clock_rate = clock_rate
        self._first_index = _NOT_ANCHORED
        self._index_offset = 0
        self._timestamp_offset = 0
        self._last_index = first_sequence - 1
        self._last_timestamp = first_timestamp & 0xFFFFFFFF
        self._last_at = 0.0
        self._runs: deque[Run] = deque(maxlen=_RUNS)
        self._source: History | None = None

    def switch(self, source: History | None = None) -> None:
        """The next packet is of another source, or of the same one after a silence of its own making.
        `source` is what `find` will answer."""
        self._first_index = _NOT_ANCHORED
        self._source = source

    def map(self, index: int, timestamp: int, now: float) -> tuple[int, int, int] | None:
        """The (marker, sequence, timestamp) under which a packet goes out; None for one that is too late,
        being of before the last switch. The marker is 0x80 for the first packet after a switch, else 0."""
        marker = 0
        if index <= self._first_index:
            if self._first_index == _NOT_ANCHORED:
                self._anchor(index, timestamp, now)
            elif index < self._first_index:
                return None
            marker = 0x80
        out = index + self._index_offset
        stamp = (timestamp + self._timestamp_offset) & 0xFFFFFFFF
        if out > self._last_index:
            self._last_index = out
            self._last_timestamp = stamp
            self._last_at = now
        return marker, out & 0xFFFF, stamp

    def find(self, sequence: int) -> tuple[Run, int] | None:
        """The run that the outgoing sequence number (16 bits) belongs to, and its source's index; None for
        one that was never given out or is too old."""
        back = (self._last_index - sequence) & 0xFFFF
        if back > _BACK:
            return None
        out = self._last_index - back
        for run in reversed(self._runs):
            if run.first <= out:
                return run, out - run.index_offset
        return None

    def timestamp_at(self, now: float) -> int | None:
        """The RTP timestamp that belongs to `now` (for a sender report); None before the first packet."""
        if not self._runs:
            return None
        return (self._last_timestamp + self._elapsed(now)) & 0xFFFFFFFF

    def _elapsed(self, now: float) -> int:
        return max(0, round((now - self._last_at) * self._clock_rate))

    def _anchor(self, index: int, timestamp: int, now: float) -> None:
        step = max(MIN_STEP, self._elapsed(now)) if self._runs else 0
        self._first_index = index
        self._index_offset = self._last_index + 1 - index
        self._timestamp_offset = self._last_timestamp + step - timestamp
        self._runs.append(Run(self._last_index + 1, self._index_offset, self._timestamp_offset, self._source))
