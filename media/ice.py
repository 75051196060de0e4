"""ICE-lite (RFC 8445, appendix A): we answer connectivity checks and never send one.

Every participant's checks arrive on the same port and are told apart by the username fragment we gave
out. An address is believed only when a check from it carries the right MESSAGE-INTEGRITY, so nobody else
can put themselves in a participant's place. No sockets and no clock: a datagram comes in, what follows
from it goes out. Whatever the datagram holds, nothing is raised.
"""

from __future__ import annotations

import secrets
import string
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from media import stun
from media.address import Path

#: Addresses remembered a participant, one a candidate pair. Full: the oldest that is not in use goes.
MAX_PATHS: Final = 16
#: Transaction ids remembered a participant against replays. Full: the oldest goes.
MAX_TRANSACTIONS: Final = 4096

_ALPHABET: Final = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the answer carries (RFC 8839, section 5.4)."""

    ufrag: str
    pwd: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """A believed check: whose it is, the reply to send back where it came from, and what it changed.

    `proven`: it came from its owner, and is no replay. `learned`: the address is new. `selected`: send
    there from now on. `forgotten`: an address that is this participant's no more.
    """

    transport: int
    reply: bytes
    proven: bool = False
    learned: bool = False
    selected: bool = False
    forgotten: Path | None = None


@dataclass(frozen=True, slots=True)
class _Generation:
    """One offer and answer's credentials (RFC 8445, section 2.4: a restart makes new ones). The client's
    checks carry `username` and are signed with `key`."""

    local: Credentials
    remote_ufrag: str
    username: bytes
    key: bytes = field(repr=False)


@dataclass(slots=True)
class _Session:
    transport: int
    owner: Hashable
    #: The newest first. The one before it is answered until the client has nominated a path of the new.
    generations: list[_Generation]
    #: Restarted, and no check of the new generation has come yet.
    restarted: bool = False
    paths: OrderedDict[Path, None] = field(default_factory=OrderedDict)
    selected: Path | None = None
    transactions: OrderedDict[bytes, None] = field(default_factory=OrderedDict)


class IceLite:
    """All the ICE sessions of a worker."""

    def __init__(self) -> None:
        self._by_username: dict[bytes, tuple[_Session, _Generation]] = {}
        self._by_transport: dict[int, _Session] = {}
        self._in_use: dict[Path, _Session] = {}

    def add(self, transport: int, remote_ufrag: str, owner: Hashable = None) -> Credentials:
        """A session for the transport; the credentials are what its answer has to say.

        A path in use can be taken over by another session of the same `owner`, and by nobody else.
        """
        session = self._by_transport[transport] = _Session(transport, owner or transport, [])
        return self._generate(session, remote_ufrag)

    def restart(self, transport: int, remote_ufrag: str) -> Credentials:
        """New credentials for a session that goes on. Its path stays as it is until a check with them comes.

        The same remote_ufrag again is the same generation: its answer was lost.
        """
        session = self._by_transport[transport]
        if session.generations[0].remote_ufrag == remote_ufrag:
            return session.generations[0].local
        self._forget_generations_before(session)
        session.restarted = True
        return self._generate(session, remote_ufrag)

    def _generate(self, session: _Session, remote_ufrag: str) -> Credentials:
        local = Credentials(_random(8), _random(24))
        username = f"{local.ufrag}:{remote_ufrag}".encode()
        generation = _Generation(local, remote_ufrag, username, local.pwd.encode())
        session.generations.insert(0, generation)
        self._by_username[username] = session, generation
        return local

    def _forget_generations_before(self, session: _Session) -> None:
        for generation in session.generations[1:]:
            del self._by_username[generation.username]
        del session.generations[1:]

    def remove(self, transport: int) -> None:
        session = self._by_transport.pop(transport, None)
        if session is not None:
            for generation in session.generations:
                del self._by_username[generation.username]
            self._deselect(session)

    def gone(self, path: Path) -> list[int]:
        """Nothing can be sent on the path any more. Whose it was; one who was sent to on it is sent to
        where its next check comes from."""
        owners = [session for session in self._by_transport.values() if path in session.paths]
        for session in owners:
            del session.paths[path]
            if session.selected == path:
                self._deselect(session)
        return [session.transport for session in owners]

    def select(self, transport: int, path: Path) -> None:
        """Send to the transport on this path, which it was learned to have."""
        session = self._by_transport[transport]
        self._deselect(session)
        if path in self._in_use:
            self._deselect(self._in_use[path])
        session.selected = path
        self._in_use[path] = session

    def _deselect(self, session: _Session) -> None:
        if session.selected is not None:
            del self._in_use[session.selected]
            session.selected = None

    def named(self, datagram: bytes) -> int | None:
        """The transport whose username a check carries, rightly or not."""
        found = self._by_username.get(stun.username(datagram))
        return found[0].transport if found else None

    def receive(self, datagram: bytes, path: Path) -> Checked | None:
        """Takes a datagram that looks like STUN; None when it is no check of ours."""
        found = self._by_username.get(stun.username(datagram))
        if found is None:
            return None
        session, generation = found
        check = stun.read(datagram, generation.key)
        if check is None or check.username != generation.username:
            return None
        return self._believe(session, generation, check, path)

    def _believe(self, session: _Session, generation: _Generation, check: stun.Check, path: Path) -> Checked:
        if check.controlled:
            # A lite agent is always the controlled one.
            return Checked(session.transport, stun.role_conflict(check, generation.key))
        reply = stun.response(check, path.address, generation.key)
        fresh = self._first_time(session, check.transaction)
        if not fresh or self._in_use.get(path, session).owner != session.owner:
            # A replayed check proves nothing about where it came from; and a participant who forges the
            # address of another would otherwise have that one's packets taken for its own.
            return Checked(session.transport, reply)
        learned, forgotten = False, None
        if path not in session.paths:
            learned, forgotten = True, self._learn(session, path)
        selected = self._is_better(session, generation, path, nominated=check.nominates)
        if selected:
            self.select(session.transport, path)
        if generation is session.generations[0]:
            session.restarted = False
            if check.nominates:
                self._forget_generations_before(session)
        return Checked(session.transport, reply, True, learned, selected, forgotten)

    def _is_better(self, session: _Session, generation: _Generation, path: Path, *, nominated: bool) -> bool:
        """Whether to send on the path from now on. The first check of a generation says where; after that
        the client nominates."""
        if path == session.selected:
            return False
        if generation is session.generations[0]:
            return nominated or session.restarted or session.selected is None
        return session.restarted and (nominated or session.selected is None)

    def _first_time(self, session: _Session, transaction: bytes) -> bool:
        if transaction in session.transactions:
            return False
        session.transactions[transaction] = None
        if len(session.transactions) > MAX_TRANSACTIONS:
            session.transactions.popitem(last=False)
        return True

    def _learn(self, session: _Session, path: Path) -> Path | None:
        session.paths[path] = None
        if len(session.paths) <= MAX_PATHS:
            return None
        oldest = next(known for known in session.paths if known not in (session.selected, path))
        del session.paths[oldest]
        return oldest


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
