"""A participant that does against loss what Chromium does: RED, questions for packets, and answers."""

from __future__ import annotations

import secrets
import struct
import time
from collections import OrderedDict
from typing import Final

from bench.forward.client import FRAME, PAYLOAD_TYPE, Client
from bench.loss.relay import Relay
from media import address, red, reports, rtcp, rtp, srtp
from media.datagrams import INBOX, STRIDE

RED_TYPE: Final = 63
#: Packets kept to be sent again.
_KEPT: Final = 500
#: A packet is asked for no longer than this after it was missed, seconds.
_HOPE: Final = 0.4
_STAMP: Final = struct.Struct(">dI")


class Peer(Client):
    """A Client behind a Relay. `resilient`: RED and questions, as Chromium; without, as Firefox."""

    def __init__(self, slots: int, *, resilient: bool = True, delay: float = 0.0) -> None:
        super().__init__(slots)
        self.relay: Relay
        self.resilient = resilient
        #: Of each packet of the talker that was heard, by its number: seconds since it was said.
        self.heard: dict[int, float] = {}
        self.answered = 0
        self._delay = delay
        self._said = 0
        self._before = b""
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._report_ssrc = secrets.randbits(32)
        self._newest: int | None = None
        self._missed: dict[int, float] = {}

    def offer(self) -> str:
        offer = super().offer()
        if not self.resilient:
            return offer
        offer = offer.replace(f"SAVPF {PAYLOAD_TYPE}", f"SAVPF {PAYLOAD_TYPE} {RED_TYPE}")
        opus = f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2"
        blocks = f"a=fmtp:{RED_TYPE} {PAYLOAD_TYPE}/{PAYLOAD_TYPE}"
        return offer.replace(opus, f"{opus}\r\na=rtpmap:{RED_TYPE} red/48000/2\r\n{blocks}")

    def take(self, answer: str) -> str:
        fingerprint = super().take(answer)
        host, port = address.unpack(self.server)[:2]
        self.relay = Relay((host, port), delay=self._delay)
        self.server = address.pack(*self.relay.address)
        return fingerprint

    def close(self) -> None:
        self.relay.close()
        self.socket.close()

    def say(self, size: int = 120) -> None:
        """Sends the next packet, which knows its number and when it was said."""
        voice = _STAMP.pack(time.monotonic(), self._said) + bytes(size - _STAMP.size)
        self._said += 1
        number = self.sequence & 0xFFFF
        if self.resilient and self._before:
            header = ((0x80 | PAYLOAD_TYPE) << 24 | FRAME << 10 | len(self._before)).to_bytes(4, "big")
            payload = header + bytes([PAYLOAD_TYPE]) + self._before + voice
            self._kept[number] = self.send(payload, payload_type=RED_TYPE)
        else:
            self._kept[number] = self.send(voice)
        self._before = voice
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    @property
    def said(self) -> int:
        return self._said

    def listen(self) -> None:
        """Takes in what has come, and asks for what has not."""
        while True:
            count = self.socket.receive()
            inbox = self.socket.inbox
            for i in range(count):
                start = i * STRIDE
                kind = inbox.buffer[start + 1] & 0x7F
                if not 128 <= inbox.buffer[start] < 192:
                    continue
                if 64 <= kind < 96:
                    self._answer(bytes(inbox.buffer[start : start + inbox.sizes[i]]))
                elif not srtp.unprotect(self.contexts.receive, inbox.pointers[i], inbox.lengths[i]):
                    self._hear(bytes(inbox.buffer[start : start + inbox.sizes[i]]), time.monotonic())
            if count < INBOX:
                return

    def _answer(self, encrypted: bytes) -> None:
        """The worker asks for packets of ours."""
        compound = self.contexts.unprotect_rtcp(encrypted)
        if compound is None or not self.resilient:
            return
        for ssrc, sequences in rtcp.nacks(compound):
            for sequence in sequences:
                if ssrc == self.ssrc and sequence in self._kept:
                    self.answered += 1
                    self.socket.send(self.server, self._kept[sequence])

    def _hear(self, packet: bytes, now: float) -> None:
        header = rtp.parse(packet, 0)
        payload = packet[header.payload : header.end]
        if header.payload_type == RED_TYPE:
            parts = red.read(payload, PAYLOAD_TYPE)
            blocks = [parts.primary, *(block for _, block in parts.earlier if block)]
        else:
            blocks = [payload]
        for block in blocks:
            said_at, number = _STAMP.unpack_from(block)
            self.heard.setdefault(number, now - said_at)
        if self.resilient:
            self._ask_for_missing(header.ssrc, header.sequence, now)

    def _ask_for_missing(self, ssrc: int, sequence: int, now: float) -> None:
        """With every packet for all that is missing, as long as there is hope."""
        step = 1 if self._newest is None else (sequence - self._newest) & 0xFFFF
        if step >= 0x8000:
            self._missed.pop(sequence, None)
        else:
            for back in range(1, min(step, 50)):
                self._missed[(sequence - back) & 0xFFFF] = now
            self._newest = sequence
        self._missed = {missed: at for missed, at in self._missed.items() if now - at < _HOPE}
        if self._missed:
            self.ask(ssrc, sorted(self._missed))

    def ask(self, ssrc: int, sequences: list[int]) -> None:
        """Asks for these packets of a slot."""
        encrypted = self.contexts.protect_rtcp(reports.question(self._report_ssrc, "peer", ssrc, sequences))
        if encrypted is not None:
            self.socket.send(self.server, encrypted)
