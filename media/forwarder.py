"""The packet loop in Python: what comes in on the sockets, and the voices that go out again.

A datagram is told apart by its first octet (RFC 7983). STUN and DTLS are handed up; RTP is authenticated,
its header read, its speaker's mute obeyed, and then it is written anew for each listener: payload type,
extension ids, MID, SSRC, sequence number and timestamp of that listener's slot. RTCP is handed up too,
and none is passed on. One listener that fails, whatever the reason, is skipped and counted.

The interface, and what each method promises, is `media.packet_loop.PacketLoop`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from media import red, rtp, srtp
from media.address import Address, Path
from media.datagrams import INBOX, OUTBOX, STRIDE, PacketSocket, Target
from media.downlink import Downlink
from media.history import Packet
from media.packet_loop import Counters, Drop, Overload, Polled, Rates, SentStream, TransportNumbers
from media.participant import Participant
from media.reception import ReportBlock
from media.uplink import Uplink

#: Reads of a socket at most in a poll, before what waits gets its turn.
_ROUNDS: Final = 16
#: Packets of one participant in a poll: each goes to everybody who listens, so what more of it has come waits
#: for the next poll, and the others are not kept waiting by it.
_TURN: Final = 2


class Forwarder:
    """The PacketLoop over `sockets`, in the thread that calls it."""

    def __init__(self, sockets: Sequence[PacketSocket], rates: Rates = Rates()) -> None:  # noqa: B008  # frozen
        self._sockets = sockets
        self._rates = rates
        self._addresses: list[dict[Address, Participant]] = [{} for _ in sockets]
        self._transports: dict[int, Participant] = {}
        #: Those of whom packets are missing.
        self._incomplete: dict[int, Participant] = {}
        #: Those of whom packets wait for their turn.
        self._waiting: dict[int, Participant] = {}
        self._polls = 0
        self.counters = Counters()

    # --- for its owner -----------------------------------------------------------------------------------

    @property
    def unsent(self) -> int:
        return sum(each.unsent for each in self._sockets)

    @property
    def overload(self) -> Overload:
        return Overload()

    def count_drop(self, reason: Drop) -> None:
        self.counters.drops[reason] += 1

    @property
    def watched(self) -> list[tuple[int, int]]:
        return [(each.fd, index) for index, each in enumerate(self._sockets)]

    def start(self) -> None:
        """It has no thread."""

    def stop(self) -> None:
        """Likewise."""

    # --- transports and routes ---------------------------------------------------------------------------

    def add_transport(self, transport: int, numbers: TransportNumbers) -> None:
        self._transports[transport] = Participant(transport, numbers, self.counters, self._rates)

    def set_keys(self, transport: int, keys: srtp.Keys) -> None:
        state = self._transports[transport]
        state.contexts = srtp.Contexts(keys)
        state.make_ready()

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
        state.make_ready()

    def drop_transport(self, transport: int) -> None:
        # Not called during a poll, so no datagram in an outbox points to its Target any more.
        state = self._transports.pop(transport, None)
        if state is None:
            return
        self._incomplete.pop(transport, None)
        self._waiting.pop(transport, None)
        for out in state.outs.values():
            self._detach(out)
        for route in list(state.uplink.routes):
            route.source = None
        state.uplink.routes.clear()
        state.uplink.forget()
        for addresses in self._addresses:
            for known in [address for address, owner in addresses.items() if owner is state]:
                del addresses[known]
        state.outbox = None

    def add_route(self, source: int, listener: int, mid: str, *, catch_up: bool = False) -> None:
        out = self._transports[listener].outs[mid]
        uplink = self._transports[source].uplink
        self._detach(out)
        out.stream.switch(uplink.history)
        out.source = uplink
        uplink.routes.append(out)
        if catch_up:
            for packet in uplink.just_said():
                self._forward([out], packet, uplink.history.contributor, packet.at)
            self._flush()

    def drop_route(self, listener: int, mid: str) -> None:
        self._detach(self._transports[listener].outs[mid])

    def set_muted(self, transport: int, muted: bool) -> None:
        state = self._transports[transport]
        if state.uplink.muted != muted:
            # What waits was said before, so a mute drops it, and what was said muted stays unsaid.
            state.uplink.set_muted(True)
            while state.waiting:
                state.uplink.take(*state.waiting.popleft())
            state.uplink.set_muted(muted)

    def _detach(self, out: Downlink) -> None:
        if out.source is not None:
            out.source.routes.remove(out)
            out.source = None

    # --- what the owner asks now and then ----------------------------------------------------------------

    def heard(self, transport: int) -> tuple[float | None, float | None]:
        state = self._transports[transport]
        return state.heard_at, state.spoke_at

    def levels(self) -> dict[int, int]:
        levels = {}
        for state in self._transports.values():
            if state.uplink.loudest is not None:
                levels[state.id] = state.uplink.loudest
                state.uplink.loudest = None
        return levels

    def sender_reported(self, transport: int, ssrc: int, ntp_middle: int, now: float) -> None:
        reception = self._transports[transport].uplink.reception
        if reception is not None and reception.ssrc == ssrc:
            reception.sender_report(ntp_middle, now)

    def report(self, transport: int, now: float) -> ReportBlock | None:
        reception = self._transports[transport].uplink.reception
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
        self._polls += 1
        # Who is next in the socket is not kept waiting by what others sent at once: that is only taken in.
        for _ in range(_ROUNDS):
            count = here.receive()
            for i in range(count):
                self._take(socket, here, i, now, polled)
            self._flush()
            if count < INBOX:
                break
        for number, state in list(self._waiting.items()):
            while state.waiting and state.gets_a_turn(self._polls, _TURN):
                self._pass_on(state, *state.waiting.popleft(), polled)
            if not state.waiting:
                del self._waiting[number]
        polled.more = bool(self._waiting) or count == INBOX
        for number, state in list(self._incomplete.items()):
            self._ask(number, state.uplink, now, polled)
        self._flush()
        return polled

    def _flush(self) -> None:
        for each in self._sockets:
            if each.outbox.count:
                each.flush()

    def _ask(self, number: int, uplink: Uplink, now: float, polled: Polled) -> None:
        sequences = uplink.due(now)
        if not uplink.missing.wanted:
            del self._incomplete[number]
        if sequences and uplink.reception is not None:
            self.counters.asked += len(sequences)
            polled.missing.append((number, uplink.reception.ssrc, sequences))

    def _take(self, socket: int, here: PacketSocket, i: int, now: float, polled: Polled) -> None:
        inbox = here.inbox
        size = inbox.sizes[i]
        start = i * STRIDE
        first = inbox.buffer[start] if size else 255
        if 128 <= first < 192 and size >= rtp.MIN_HEADER:
            state = self._addresses[socket].get(inbox.source(i))
            if state is None or state.contexts is None:
                self.counters.drops[Drop.STRANGER] += 1
            elif 64 <= inbox.buffer[start + 1] & 0x7F < 96:
                self._take_rtcp(state, bytes(inbox.buffer[start : start + size]), now, polled)
            else:
                self._take_rtp(state, state.contexts, here, i, now, polled)
        elif first < 4:
            path = Path(socket, inbox.source(i))
            polled.stun.append((path, bytes(inbox.buffer[start : start + size])))
        elif 20 <= first < 64:
            state = self._addresses[socket].get(inbox.source(i))
            if state is not None:
                polled.dtls.append((state.id, bytes(inbox.buffer[start : start + size])))
            else:
                self.counters.drops[Drop.STRANGER] += 1
        else:
            self.counters.drops[Drop.UNREADABLE] += 1

    def _take_rtcp(self, state: Participant, packet: bytes, now: float, polled: Polled) -> None:
        ssrc = int.from_bytes(packet[4:8], "big")
        if not state.admits(ssrc):
            self.counters.drops[Drop.TOO_MANY_SSRCS] += 1
            return
        if not state.may_send(now):
            self.counters.drops[Drop.TOO_MANY] += 1
            return
        plain = state.contexts.unprotect_rtcp(packet) if state.contexts is not None else None
        if plain is None:
            self.counters.drops[Drop.UNAUTHENTIC] += 1
            return
        state.has_sent(len(packet))
        state.ssrcs.add(ssrc)
        state.heard_at = now
        polled.rtcp.append((state.id, plain))

    def _take_rtp(
        self,
        state: Participant,
        contexts: srtp.Contexts,
        here: PacketSocket,
        i: int,
        now: float,
        polled: Polled,
    ) -> None:
        inbox = here.inbox
        drops = self.counters.drops
        start = i * STRIDE
        ssrc = int.from_bytes(inbox.buffer[start + 8 : start + 12], "big")
        if not state.admits(ssrc):
            drops[Drop.TOO_MANY_SSRCS] += 1
            return
        if not state.may_send(now):
            drops[Drop.TOO_MANY] += 1
            return
        status = srtp.unprotect(contexts.receive, inbox.pointers[i], inbox.lengths[i])
        if status:
            drops[Drop.REPLAYED if status in srtp.REPLAYED else Drop.UNAUTHENTIC] += 1
            return
        packet = bytes(inbox.buffer[start : start + inbox.sizes[i]])
        state.has_sent(len(packet))
        state.ssrcs.add(ssrc)
        state.heard_at = state.spoke_at = now
        try:
            header = rtp.parse(packet, state.level_id)
        except rtp.NotRtp:
            drops[Drop.MALFORMED] += 1
            return
        if state.waiting or not state.gets_a_turn(self._polls, _TURN):
            if len(state.waiting) < self._rates.at_once:
                state.waiting.append((header, packet, now))
                self._waiting[state.id] = state
            else:
                drops[Drop.TOO_MANY] += 1
            return
        self._pass_on(state, header, packet, now, polled)

    def _pass_on(
        self, state: Participant, header: rtp.Header, packet: bytes, now: float, polled: Polled
    ) -> None:
        """`now` is when it came."""
        uplink = state.uplink
        packets = uplink.take(header, packet, now)
        if uplink.missing.wanted:
            self._incomplete[state.id] = state
        for each in packets:
            self._forward(uplink.routes, each, uplink.history.contributor, now)
        if uplink.begins and packets:
            polled.onsets.append(state.id)

    def _forward(self, routes: list[Downlink], packet: Packet, contributor: int, now: float) -> None:
        """The hot path: once a packet and listener. What is slow here is slow for the whole worker."""
        number, timestamp, marker, level, opus, whole, _ = packet
        numbered = whole[0] & 0x7F if whole else 0
        protect = srtp.protect
        forwarded = 0
        for out in routes:
            listener = out.listener
            outbox = listener.outbox
            if outbox is None:
                continue
            mapped = out.map(number, timestamp, now)
            if mapped is None:
                self.counters.drops[Drop.LATE] += 1
                continue
            i = outbox.count
            first, sequence, stamp = mapped
            kind, payload = out.payload_type, opus
            if whole is not None and out.red_payload_type:
                payload = whole if numbered == kind else red.renumbered(whole, kind)
                kind = out.red_payload_type
            outbox.sizes[2 * i + 1] = out.write(
                outbox.buffer,
                i * STRIDE,
                marker | first | kind,
                sequence,
                stamp,
                contributor,
                level,
                payload,
            )
            outbox.targets[8 * i] = listener.to
            if protect(listener.transmit, outbox.pointers[i], outbox.lengths[i]):
                self.counters.drops[Drop.UNENCRYPTABLE] += 1
                continue
            out.packets += 1
            out.octets += len(payload)
            outbox.count = i + 1
            forwarded += 1
            if i + 1 == OUTBOX and listener.socket is not None:
                listener.socket.flush()
        self.counters.forwarded += forwarded

    def repeat(self, transport: int, ssrc: int, sequences: list[int], now: float) -> None:
        state = self._transports[transport]
        out = next((out for out in state.outs.values() if out.ssrc == ssrc), None)
        outbox = state.outbox
        if out is None or outbox is None or state.socket is None:
            return
        drops = self.counters.drops
        for sequence in sequences:
            if state.questions.spent(now):
                drops[Drop.TOO_MANY_REPEATS] += 1
                continue
            state.questions.used += 1
            again = out.again(sequence)
            if again is None:
                drops[Drop.UNKNOWN_REPEAT] += 1
                continue
            if out.just_repeated(sequence, now):
                continue
            if state.repeats.spent(now):
                drops[Drop.TOO_MANY_REPEATS] += 1
                continue
            state.repeats.used += 1
            kind, payload = out.payload(again.packet)
            i = outbox.count
            outbox.sizes[2 * i + 1] = out.write(
                outbox.buffer,
                i * STRIDE,
                again.marker | kind,
                sequence,
                again.timestamp,
                again.contributor,
                again.packet.level,
                payload,
            )
            outbox.targets[8 * i] = state.to
            if srtp.protect(state.transmit, outbox.pointers[i], outbox.lengths[i]):
                drops[Drop.UNENCRYPTABLE] += 1
                continue
            self.counters.repeated += 1
            outbox.count = i + 1
            if i + 1 == OUTBOX:
                state.socket.flush()
        state.socket.flush()
