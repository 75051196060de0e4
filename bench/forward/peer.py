"""A light participant for servers that are not ICE-lite, or that offer by themselves, as ours does not."""

from __future__ import annotations

import asyncio
from typing import Final

from aioice import stun
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM

from bench.forward.client import PAYLOAD_TYPE, Client
from media import address

#: Seconds until the first flight of a handshake goes out again.
FLIGHT: Final = 0.05
_PATIENCE: Final = 4.0


class Peer(Client):
    """It knows AEAD_AES_128_GCM and nothing else."""

    profiles = (SRTP_AEAD_AES_128_GCM,)
    _answered = False

    def answer(self, offer: str) -> str:
        """To hear all that is offered."""
        mids = [line.partition(":")[2] for line in offer.splitlines() if line.startswith("a=mid:")]
        lines = ["v=0", f"o=- {self.session} 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
        lines += ["a=group:BUNDLE " + " ".join(mids)]
        for mid in mids:
            lines += [f"m=audio 9 UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}"]
            lines += ["a=recvonly", "a=rtcp-mux", *self.credentials(), "a=setup:active"]
            lines += [f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2"]
        return "\r\n".join([*lines, ""])

    async def _send(self, datagram: bytes) -> None:
        """Until the server says something, the first flight goes out again after 50 ms, 100 ms and so on, as
        browsers have it; OpenSSL's own timer is a second."""
        await super()._send(datagram)
        if not self._answered:
            asyncio.get_running_loop().call_later(FLIGHT, self._again, datagram, 2 * FLIGHT)

    def _again(self, datagram: bytes, then: float) -> None:
        if not self._answered and self.socket.fd >= 0 and then < _PATIENCE:
            self.socket.send(self.server, datagram)
            asyncio.get_running_loop().call_later(then, self._again, datagram, 2 * then)

    async def _recv(self) -> bytes:
        datagram = await super()._recv()
        self._answered = True
        return datagram

    def take_stun(self, datagram: bytes) -> None:
        """Answers a check (RFC 8445, 7.3), also of who asks all the time whether it may send (RFC 7675)."""
        message = stun.parse_message(datagram)
        if message.message_class is not stun.Class.REQUEST:
            super().take_stun(datagram)
            return
        answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, message.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = address.unpack(self.server)
        answer.add_message_integrity(self.pwd.encode())
        self.socket.send(self.server, bytes(answer))
