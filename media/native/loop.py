"""The packet loop in C, behind the interface of the one in Python (`media.forwarder`).

Voices are carried by a thread that never takes the GIL. What it does not do itself it writes down as records:
STUN, DTLS, RTCP, questions for missing packets, who begins to speak, and what is sent by a socket that is
Python's (TCP). A file descriptor becomes readable, and `poll` hands the records up. `loop.c` says how the two
share what they share. Without `start` there is no thread, and `poll` reads the sockets: so the tests run.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from media import srtp
from media.address import Path
from media.datagrams import STRIDE, DatagramSocket, PacketSocket
from media.native import build
from media.packet_loop import (
    BURSTS,
    Counters,
    Drop,
    Overload,
    Polled,
    Rates,
    SentStream,
    SlotNumbers,
    TransportNumbers,
)
from media.participant import MAX_QUESTIONS, MAX_REPEATS, MAX_SSRCS
from media.reception import ReportBlock
from media.rtp import HeaderWriter

#: Busy shares of the thread's time past which the overload mode begins, and below which it ends. In it a
#: packet costs 0.57 to 0.96, so what ends it would not bring it back.
AUTO: Final = (0.8, 0.4)
ALWAYS: Final = (-1.0, -2.0)
NEVER: Final = (2.0, 2.0)

#: What `poll` is given instead of a socket when there are records.
RECORDS: Final = -1
#: Packets of one participant in a poll, as the loop in Python has it.
_TURN: Final = 2
_RECORD: Final = struct.Struct("=IBBHI28s")
_STUN, _DTLS, _RTCP, _ASK, _BEGINS, _SEND = range(6)


@dataclass(slots=True)
class _Transport:
    """What Python keeps of a transport: the order and SSRCs of its slots, its keys and its path."""

    mids: dict[str, int]
    ssrcs: dict[int, int]
    contexts: srtp.Contexts | None = None
    path: Path | None = None


class NativeLoop:
    """The PacketLoop over `sockets`. Raises NotBuiltError where there can be none."""

    def __init__(
        self,
        sockets: Sequence[PacketSocket],
        rates: Rates = Rates(),  # noqa: B008  # frozen
        overload: tuple[float, float] = AUTO,
    ) -> None:
        path = build.build()
        self._ffi = ffi = build.declarations()
        try:
            self._lib: Any = ffi.dlopen(str(path))
        except OSError as error:
            raise build.NotBuiltError(str(error)) from None
        self._sockets = sockets
        self._transports: dict[int, _Transport] = {}
        limits = ffi.new(
            "Limits *",
            {
                "packets": rates.packets,
                "packets_at_once": rates.at_once,
                "octets": rates.octets,
                "octets_at_once": rates.octets // BURSTS,
                "repeats": MAX_REPEATS,
                "questions": MAX_QUESTIONS,
                "waiting": min(rates.at_once, 1 << 30),
                "ssrcs": MAX_SSRCS,
                "turn": _TURN,
                "overload_begins": overload[0],
                "overload_ends": overload[1],
            },
        )
        made = self._lib.loop_new(
            ffi.cast("void *", srtp.address_of(srtp.function("srtp_protect"))),
            ffi.cast("void *", srtp.address_of(srtp.function("srtp_unprotect"))),
            len(sockets),
            [each.fd if isinstance(each, DatagramSocket) else -1 for each in sockets],
            [each.inbox.name_size for each in sockets],
            limits,
        )
        if made == ffi.NULL:
            raise build.NotBuiltError("the system gives it no memory or no file descriptors")
        self._loop = ffi.gc(made, self._lib.loop_free)
        self._event: int = self._lib.loop_event(self._loop)
        self._threaded = False

    # --- the thread --------------------------------------------------------------------------------------

    @property
    def watched(self) -> list[tuple[int, int]]:
        streams = [
            (each.fd, index)
            for index, each in enumerate(self._sockets)
            if not (self._threaded and isinstance(each, DatagramSocket))
        ]
        return [(self._event, RECORDS), *streams]

    def start(self) -> None:
        failed = self._lib.loop_start(self._loop)
        if failed:
            raise OSError(failed, f"the packet thread cannot be started: {os.strerror(failed)}")
        self._threaded = True

    def stop(self) -> None:
        self._lib.loop_stop(self._loop)
        self._threaded = False

    # --- transports and routes ---------------------------------------------------------------------------

    def add_transport(self, transport: int, numbers: TransportNumbers) -> None:
        ffi = self._ffi
        slots = ffi.new("Slot[]", [_slot(each) for each in numbers.slots])
        own = ffi.new(
            "Numbers *",
            {
                "number": transport,
                "contributor": numbers.contributor,
                "payload_type": -1 if numbers.payload_type is None else numbers.payload_type,
                "red_payload_type": numbers.red_payload_type,
                "level_id": numbers.level_id,
            },
        )
        self._lib.loop_add(self._loop, own, slots, len(numbers.slots))
        self._transports[transport] = _Transport(
            {each.mid: index for index, each in enumerate(numbers.slots)},
            {each.ssrc: index for index, each in enumerate(numbers.slots)},
        )

    def set_keys(self, transport: int, keys: srtp.Keys) -> None:
        state = self._transports[transport]
        contexts = srtp.Contexts(keys)
        receive, transmit = srtp.address_of(contexts.receive), srtp.address_of(contexts.transmit)
        cast = self._ffi.cast
        self._lib.loop_set_keys(self._loop, transport, cast("void *", receive), cast("void *", transmit))
        # Only now may those of before go.
        state.contexts = contexts

    def learn(self, transport: int, path: Path) -> None:
        self._known(transport)
        self._lib.loop_learn(self._loop, transport, path.socket, _padded(path.address))

    def forget(self, transport: int, path: Path) -> None:
        self._lib.loop_forget(self._loop, transport, path.socket, _padded(path.address))

    def aim(self, transport: int, path: Path) -> None:
        self._transports[transport].path = path
        self._lib.loop_aim(self._loop, transport, path.socket, _padded(path.address))

    def drop_transport(self, transport: int) -> None:
        self._lib.loop_drop(self._loop, transport)
        # Its keys go with it, now that the thread does not use them.
        self._transports.pop(transport, None)

    def add_route(self, source: int, listener: int, mid: str, *, catch_up: bool = False) -> None:
        self._known(source)
        slot = self._transports[listener].mids[mid]
        self._lib.loop_route(self._loop, source, listener, slot, catch_up)

    def drop_route(self, listener: int, mid: str) -> None:
        self._lib.loop_unroute(self._loop, listener, self._transports[listener].mids[mid])

    def set_muted(self, transport: int, muted: bool) -> None:
        self._known(transport)
        self._lib.loop_mute(self._loop, transport, muted)

    def _known(self, transport: int) -> None:
        if transport not in self._transports:
            raise KeyError(transport)

    # --- what the owner asks now and then ----------------------------------------------------------------

    @property
    def counters(self) -> Counters:
        counts = self._ffi.new("Counts *")
        self._lib.loop_counts(self._loop, counts)
        return Counters(
            counts.received,
            counts.forwarded,
            counts.recovered,
            counts.asked,
            counts.repeated,
            list(counts.drops)[: len(Drop)],
        )

    @property
    def overload(self) -> Overload:
        counts = self._ffi.new("Counts *")
        self._lib.loop_counts(self._loop, counts)
        return Overload(bool(counts.overloaded), counts.overloads, counts.ticks, counts.segments)

    def count_drop(self, reason: Drop) -> None:
        self._lib.loop_count_drop(self._loop, reason)

    @property
    def unsent(self) -> int:
        counts = self._ffi.new("Counts *")
        self._lib.loop_counts(self._loop, counts)
        return int(counts.unsent) + sum(each.unsent for each in self._sockets)

    def heard(self, transport: int) -> tuple[float | None, float | None]:
        self._known(transport)
        heard = self._ffi.new("double[2]")
        self._lib.loop_heard(self._loop, transport, heard)
        packet, voice = (None if math.isnan(at) else at for at in heard)
        return packet, voice

    def levels(self) -> dict[int, int]:
        room = len(self._transports)
        numbers, levels = self._ffi.new("uint32_t[]", room), self._ffi.new("uint8_t[]", room)
        count = self._lib.loop_levels(self._loop, numbers, levels, room)
        return dict(zip(numbers[0:count], levels[0:count], strict=True))

    def sender_reported(self, transport: int, ssrc: int, ntp_middle: int, now: float) -> None:
        self._known(transport)
        self._lib.loop_sender_reported(self._loop, transport, ssrc, ntp_middle, now)

    def report(self, transport: int, now: float) -> ReportBlock | None:
        self._known(transport)
        block = self._ffi.new("ReportBlock *")
        if not self._lib.loop_report(self._loop, transport, now, block):
            return None
        return ReportBlock(
            block.ssrc,
            block.fraction_lost,
            block.cumulative_lost,
            block.highest,
            block.jitter,
            block.last_report,
            block.delay,
        )

    def sent(self, transport: int, now: float) -> list[SentStream]:
        streams = self._ffi.new("Sent[]", max(1, len(self._transports[transport].mids)))
        count = self._lib.loop_sent(self._loop, transport, now, streams)
        return [SentStream(each.ssrc, each.timestamp, each.packets, each.octets) for each in streams[0:count]]

    # --- sending what is not forwarded -------------------------------------------------------------------

    def repeat(self, transport: int, ssrc: int, sequences: list[int], now: float) -> None:
        slot = self._transports[transport].ssrcs.get(ssrc)
        if slot is not None:
            self._lib.loop_repeat(self._loop, transport, slot, sequences, len(sequences), now)

    def send(self, path: Path, datagram: bytes) -> None:
        self._sockets[path.socket].send(path.address, datagram)

    def send_rtcp(self, transport: int, packet: bytes) -> None:
        state = self._transports[transport]
        if state.contexts is not None and state.path is not None:
            encrypted = state.contexts.protect_rtcp(packet)
            if encrypted is not None:
                self.send(state.path, encrypted)

    # --- the loop ----------------------------------------------------------------------------------------

    def poll(self, socket: int, now: float) -> Polled:
        polled = Polled()
        if socket == RECORDS:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._event)
        elif isinstance(self._sockets[socket], DatagramSocket):
            polled.more = bool(self._lib.loop_poll(self._loop, socket, now))
        else:
            polled.more = self._read(socket, now)
        self._collect(polled, now)
        return polled

    def _read(self, socket: int, now: float) -> bool:
        """What has come by TCP is Python's to read, and the loop's to work off."""
        here = self._sockets[socket]
        inbox = here.inbox
        count = here.receive()
        for i in range(count):
            octets = self._ffi.cast("uint8_t *", inbox.payloads.pointer + i * STRIDE)
            self._lib.loop_take(self._loop, socket, _padded(inbox.source(i)), octets, inbox.sizes[i], now)
        waits: int = self._lib.loop_take_turns(self._loop, now)
        return bool(waits) or count == len(inbox.pointers)

    def _collect(self, polled: Polled, now: float) -> None:
        size = self._ffi.new("int *")
        records = self._ffi.buffer(self._lib.loop_records(self._loop, size), size[0])
        at = 0
        while at < len(records):
            whole, kind, socket, octets, number, source = _RECORD.unpack_from(records, at)
            start = at + _RECORD.size
            datagram = records[start : start + octets]
            at += whole
            address = source[: self._sockets[socket].inbox.name_size]
            if kind == _STUN:
                polled.stun.append((Path(socket, address), datagram))
            elif kind == _SEND:
                self._sockets[socket].send(address, datagram)
            elif number not in self._transports:
                continue  # it has left meanwhile
            elif kind == _DTLS:
                polled.dtls.append((number, datagram))
            elif kind == _RTCP:
                self._take_rtcp(number, datagram, now, polled)
            elif kind == _ASK:
                ssrc, *sequences = struct.unpack(f"=I{(octets - 4) // 2}H", datagram)
                polled.missing.append((number, ssrc, sequences))
            elif kind == _BEGINS:
                polled.onsets.append(number)

    def _take_rtcp(self, number: int, packet: bytes, now: float, polled: Polled) -> None:
        contexts = self._transports[number].contexts
        plain = contexts.unprotect_rtcp(packet) if contexts is not None else None
        if plain is None:
            self.count_drop(Drop.UNAUTHENTIC)
            return
        ssrc = int.from_bytes(packet[4:8], "big")
        self._lib.loop_rtcp_was_authentic(self._loop, number, ssrc, len(packet), now)
        polled.rtcp.append((number, plain))


def _padded(address: bytes) -> bytes:
    return address.ljust(28, b"\0")


def _slot(numbers: SlotNumbers) -> dict[str, Any]:
    writer = HeaderWriter(
        ssrc=numbers.ssrc, mid=numbers.mid, mid_id=numbers.mid_id, level_id=numbers.level_id
    )
    head = bytearray(writer.size)
    writer.write(head, 0, 0, 0, 0, 0, 0, b"")
    return {
        "ssrc": numbers.ssrc,
        "payload_type": numbers.payload_type,
        "red_payload_type": numbers.red_payload_type,
        "has_level": bool(numbers.level_id),
        "head_size": len(head),
        "first_sequence": secrets.randbelow(0x8000),
        "first_timestamp": secrets.randbits(32),
        "head": bytes(head),
    }
