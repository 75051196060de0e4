"""The packet loop in Python: what comes in on the sockets, and the voices that go out again.

A datagram is told apart by its first octet (RFC 7983). STUN and DTLS are handed up; RTP is authenticated,
its header read, its speaker's mute obeyed, and then it is written anew for each listener: payload type,
extension ids, MID, SSRC, sequence number and timestamp of that listener's slot. RTCP is handed up too,
and none is passed on. One listener that fails, whatever the reason, is skipped and counted.

The interface, and what each method promises, is `media.packet_loop.PacketLoop`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

from media import rtp, srtp
from media.address import Address, Path
from media.datagrams import OUTBOX, STRIDE, DatagramSocket, Outbox, Target
from media.packet_loop import Counters, Polled, SentStream, SlotNumbers, TransportNumbers
from media.reception import Reception, ReportBlock
from media.rtp import HeaderWriter
from media.sequence import OPUS_CLOCK, OutStream

#: Reads of a socket's inbox before others get their turn.
_ROUNDS: Final = 8
#: Packets a second a speaker may send: Opus frames of 2.5 ms make 400. Past it, they are dropped.
_MAX_RATE: Final = 500
#: SSRCs a participant may use in its life, since libsrtp keeps state for each. Full: new ones are dropped.
_MAX_SSRCS: Final = 16


class _Out:
    """A Consumer: one slot of a listener, and the one out-stream it is."""

    __slots__ = ("listener", "map", "octets", "packets", "source", "ssrc", "stream", "write")

    def __init__(self, listener: _Transport, numbers: SlotNumbers) -> None:
        self.listener = listener
        self.ssrc = numbers.ssrc
        self.source: _Transport | None = None
        self.stream = OutStream(secrets.randbelow(0x8000), secrets.randbits(32))
        self.map = self.stream.map
        self.write = HeaderWriter(
            payload_type=numbers.payload_type,
            ssrc=numbers.ssrc,
            mid=numbers.mid,
            mid_id=numbers.mid_id,
            level_id=numbers.level_id,
        ).write
        self.packets = 0
        self.octets = 0


class _Transport:
    """A participant, as a speaker (what it sends) and as a listener (where its slots go)."""

    __slots__ = (
        "contexts",
        "heard_at",
        "id",
        "level_id",
        "loudest",
        "muted",
        "outbox",
        "outs",
        "path",
        "payload_type",
        "reception",
        "routes",
        "second_count",
        "second_start",
        "socket",
        "spoke_at",
        "ssrcs",
        "target",
        "to",
        "transmit",
    )

    def __init__(self, number: int, numbers: TransportNumbers) -> None:
        self.id = number
        self.payload_type = numbers.payload_type
        self.level_id = numbers.level_id
        self.muted = False
        self.contexts: srtp.Contexts | None = None
        self.transmit: Any = None
        self.reception: Reception | None = None
        self.ssrcs: set[int] = set()
        self.second_start = 0.0
        self.second_count = 0
        self.loudest: int | None = None
        self.heard_at: float | None = None
        self.spoke_at: float | None = None
        self.routes: list[_Out] = []
        self.outs = {slot.mid: _Out(self, slot) for slot in numbers.slots}
        self.path: Path | None = None
        self.target: Target | None = None
        self.socket: DatagramSocket | None = None
        # Set once there are keys and a path: what the loop needs to send here.
        self.outbox: Outbox | None = None
        self.to = 0


class Forwarder:
    """The PacketLoop over `sockets`, in the thread that calls it."""

    def __init__(self, sockets: Sequence[DatagramSocket]) -> None:
        self._sockets = sockets
        self._addresses: list[dict[Address, _Transport]] = [{} for _ in sockets]
        self._transports: dict[int, _Transport] = {}
        self.counters = Counters()

    # --- transports and routes ---------------------------------------------------------------------------

    def add_transport(self, transport: int, numbers: TransportNumbers) -> None:
        self._transports[transport] = _Transport(transport, numbers)

    def set_keys(self, transport: int, keys: srtp.Keys) -> None:
        state = self._transports[transport]
        state.contexts = srtp.Contexts(keys)
        self._ready(state)

    def learn(self, transport: int, path: Path) -> None:
        self._addresses[path.socket][path.address] = self._transports[transport]

    def forget(self, transport: int, path: Path) -> None:
        known = self._addresses[path.socket].get(path.address)
        if known is not None and known.id == transport:
            del self._addresses[path.socket][path.address]

    def aim(self, transport: int, path: Path) -> None:
        state = self._transports[transport]
        state.path = path
        state.target = Target(path.address)
        state.socket = self._sockets[path.socket]
        self._ready(state)

    def drop_transport(self, transport: int) -> None:
        # Not called during a poll, so no datagram in an outbox points to its Target any more.
        state = self._transports.pop(transport, None)
        if state is None:
            return
        for out in state.outs.values():
            self._detach(out)
        for out in list(state.routes):
            self._detach(out)
        for addresses in self._addresses:
            for known in [address for address, owner in addresses.items() if owner is state]:
                del addresses[known]
        state.outbox = None

    def add_route(self, source: int, listener: int, mid: str) -> None:
        out = self._transports[listener].outs[mid]
        self._detach(out)
        out.stream.switch()
        out.source = self._transports[source]
        out.source.routes.append(out)

    def drop_route(self, listener: int, mid: str) -> None:
        self._detach(self._transports[listener].outs[mid])

    def set_muted(self, transport: int, muted: bool) -> None:
        state = self._transports[transport]
        if state.muted and not muted:
            self._switch(state)
        state.muted = muted
        if muted:
            state.loudest = None

    def _detach(self, out: _Out) -> None:
        if out.source is not None:
            out.source.routes.remove(out)
            out.source = None

    def _switch(self, source: _Transport) -> None:
        for out in source.routes:
            out.stream.switch()

    def _ready(self, state: _Transport) -> None:
        if state.contexts is not None and state.target is not None and state.socket is not None:
            state.transmit = state.contexts.transmit
            state.to = state.target.pointer
            state.outbox = state.socket.outbox

    # --- what the owner asks now and then ----------------------------------------------------------------

    def heard(self, transport: int) -> tuple[float | None, float | None]:
        state = self._transports[transport]
        return state.heard_at, state.spoke_at

    def levels(self) -> dict[int, int]:
        levels = {}
        for state in self._transports.values():
            if state.loudest is not None:
                levels[state.id] = state.loudest
                state.loudest = None
        return levels

    def sender_reported(self, transport: int, ssrc: int, ntp_middle: int, now: float) -> None:
        reception = self._transports[transport].reception
        if reception is not None and reception.ssrc == ssrc:
            reception.sender_report(ntp_middle, now)

    def report(self, transport: int, now: float) -> ReportBlock | None:
        reception = self._transports[transport].reception
        return None if reception is None else reception.report(now)

    def sent(self, transport: int, now: float) -> list[SentStream]:
        streams = []
        for out in self._transports[transport].outs.values():
            timestamp = out.stream.timestamp_at(now)
            if timestamp is not None:
                streams.append(SentStream(out.ssrc, timestamp, out.packets, out.octets))
        return streams

    # --- sending what is not forwarded -------------------------------------------------------------------

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
        here = self._sockets[socket]
        for _ in range(_ROUNDS):
            count = here.receive()
            for i in range(count):
                self._take(socket, here, i, now, polled)
            if count < len(here.inbox.pointers):
                break
        for each in self._sockets:
            if each.outbox.count:
                each.flush()
        return polled

    def _take(self, socket: int, here: DatagramSocket, i: int, now: float, polled: Polled) -> None:
        inbox = here.inbox
        size = inbox.sizes[i]
        start = i * STRIDE
        first = inbox.buffer[start] if size else 255
        if 128 <= first < 192 and size >= rtp.MIN_HEADER:
            state = self._addresses[socket].get(inbox.source(i))
            if state is None or state.contexts is None:
                self.counters.dropped += 1
            elif 64 <= inbox.buffer[start + 1] & 0x7F < 96:
                self._take_rtcp(state, bytes(inbox.buffer[start : start + size]), now, polled)
            else:
                self._take_rtp(state, state.contexts, here, i, now)
        elif first < 4:
            path = Path(socket, inbox.source(i))
            polled.stun.append((path, bytes(inbox.buffer[start : start + size])))
        elif 20 <= first < 64:
            state = self._addresses[socket].get(inbox.source(i))
            if state is not None:
                polled.dtls.append((state.id, bytes(inbox.buffer[start : start + size])))
        else:
            self.counters.dropped += 1

    def _take_rtcp(self, state: _Transport, packet: bytes, now: float, polled: Polled) -> None:
        ssrc = int.from_bytes(packet[4:8], "big")
        plain = None
        if state.contexts is not None and self._admits(state, ssrc):
            plain = state.contexts.unprotect_rtcp(packet)
        if plain is None:
            self.counters.dropped += 1
            return
        state.ssrcs.add(ssrc)
        state.heard_at = now
        polled.rtcp.append((state.id, plain))

    def _admits(self, state: _Transport, ssrc: int) -> bool:
        return ssrc in state.ssrcs or len(state.ssrcs) < _MAX_SSRCS

    def _take_rtp(
        self, state: _Transport, contexts: srtp.Contexts, here: DatagramSocket, i: int, now: float
    ) -> None:
        inbox = here.inbox
        counters = self.counters
        start = i * STRIDE
        ssrc = int.from_bytes(inbox.buffer[start + 8 : start + 12], "big")
        if now - state.second_start >= 1.0:
            state.second_start = now
            state.second_count = 0
        if (
            state.second_count >= _MAX_RATE
            or not self._admits(state, ssrc)
            or srtp.unprotect(contexts.receive, inbox.pointers[i], inbox.lengths[i])
        ):
            counters.dropped += 1
            return
        state.second_count += 1
        state.ssrcs.add(ssrc)
        state.heard_at = state.spoke_at = now
        packet = bytes(inbox.buffer[start : start + inbox.sizes[i]])
        try:
            header = rtp.parse(packet, state.level_id)
        except rtp.NotRtp:
            counters.dropped += 1
            return
        size = header.end - header.payload
        if header.payload_type != state.payload_type or not 0 < size <= rtp.MAX_PAYLOAD:
            counters.dropped += 1
            return
        counters.received += 1
        reception = state.reception
        if reception is None or reception.ssrc != ssrc:
            reception = state.reception = Reception(ssrc, header.sequence, OPUS_CLOCK)
            self._switch(state)
        index, jumped = reception.extend(header.sequence)
        reception.arrived(header.timestamp, now)
        if state.muted:
            counters.muted += 1
            return
        if jumped:
            self._switch(state)
        level = header.level
        if level is not None and (state.loudest is None or level & 0x7F < state.loudest):
            state.loudest = level & 0x7F
        payload = packet[header.payload : header.end]
        self._forward(state.routes, index, header.timestamp, header.marker, level, payload, now)

    def _forward(
        self,
        routes: list[_Out],
        index: int,
        timestamp: int,
        marker: int,
        level: int | None,
        payload: bytes,
        now: float,
    ) -> None:
        """The hot path: once a packet and listener. What is slow here is slow for the whole worker."""
        protect = srtp.protect
        size = len(payload)
        forwarded = 0
        for out in routes:
            listener = out.listener
            outbox = listener.outbox
            if outbox is None:
                continue
            mapped = out.map(index, timestamp, now)
            if mapped is None:
                continue
            i = outbox.count
            sequence, stamp = mapped
            outbox.sizes[2 * i + 1] = out.write(
                outbox.buffer, i * STRIDE, marker, sequence, stamp, level, payload
            )
            outbox.targets[8 * i] = listener.to
            if protect(listener.transmit, outbox.pointers[i], outbox.lengths[i]):
                self.counters.failed += 1
                continue
            out.packets += 1
            out.octets += size
            outbox.count = i + 1
            forwarded += 1
            if i + 1 == OUTBOX and listener.socket is not None:
                listener.socket.flush()
        self.counters.forwarded += forwarded
