"""Where each voice is sent to: checks come in, addresses are learned, and forgotten when they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from media.address import Path
from media.datagrams import PacketSocket
from media.ice import IceLite
from media.packet_loop import Drop, PacketLoop
from media.streams import StreamSocket
from media.voice import Voice

#: A path without a check for so long is dead (consent checks come every 4 to 6 s, RFC 7675): then any other
#: check says where to send.
CONSENT: Final = 7.0


class Paths:
    """The paths of all `voices`, by their transports' numbers."""

    def __init__(
        self, ice: IceLite, loop: PacketLoop, sockets: Sequence[PacketSocket], voices: Mapping[int, Voice]
    ) -> None:
        self._ice = ice
        self._loop = loop
        self._streams = {
            index: socket for index, socket in enumerate(sockets) if isinstance(socket, StreamSocket)
        }
        self._voices = voices

    def check(self, path: Path, datagram: bytes, now: float) -> None:
        """A datagram that looks like STUN."""
        named = self._ice.named(datagram)
        if named is None:
            self._loop.count_drop(Drop.STRANGER)
            return
        voice = self._voices[named]
        if voice.checks.spent(now):
            self._loop.count_drop(Drop.TOO_MANY)
            return
        voice.checks.used += 1
        checked = self._ice.receive(datagram, path)
        if checked is None:
            self._loop.count_drop(Drop.UNAUTHENTIC)
            return
        selected = checked.selected
        if checked.proven:
            voice.heard_at = now
            if path == voice.path:
                voice.checked_at = now
            elif not selected and now - voice.checked_at > CONSENT:
                self._ice.select(voice.number, path)
                selected = True
            if stream := self._streams.get(path.socket):
                stream.prove(path.address)
        if checked.forgotten is not None:
            self._forget(voice, checked.forgotten)
        if checked.learned or selected:
            self._loop.learn(voice.number, path)
        if selected:
            voice.path, voice.checked_at = path, now
            voice.transport.reachable()
            self._loop.aim(voice.number, path)
        self._loop.send(path, checked.reply)

    def _forget(self, voice: Voice, path: Path) -> None:
        self._loop.forget(voice.number, path)
        if stream := self._streams.get(path.socket):
            stream.drop(path.address)

    def sweep(self, now: float) -> None:
        """Ends connections nobody uses, and forgets those that have ended."""
        for index, stream in self._streams.items():
            for address in stream.sweep(now):
                path = Path(index, address)
                for number in self._ice.gone(path):
                    voice = self._voices[number]
                    self._loop.forget(number, path)
                    if voice.path == path:
                        voice.path = None
