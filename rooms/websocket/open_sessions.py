"""The websockets of each session, so that all of one that has ended are closed at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from common.revocations import Ended, Revocations
from common.tokens import Identity


@dataclass(frozen=True, slots=True)
class Place:
    """A websocket in its room."""

    room_id: str
    conn_id: str


class OpenSessions:
    """Bounded by the websockets there are. `close` closes one, and what it holds."""

    def __init__(self, close: Callable[[str, str], None]) -> None:
        self.revocations: Revocations
        self._close = close
        self._identities: dict[Place, Identity] = {}
        self._of_session: dict[str, set[Place]] = {}

    def speaks_for(self, room_id: str, conn_id: str, identity: Identity) -> None:
        """A websocket speaks for this identity from now on; closed where its session has ended already."""
        self.gone(room_id, conn_id)
        place = Place(room_id, conn_id)
        self._identities[place] = replace(identity, token="")  # nobody needs it any more, and it is long
        self._of_session.setdefault(identity.session_id, set()).add(place)
        if self.revocations.ended(identity):
            self._close(room_id, conn_id)

    def gone(self, room_id: str, conn_id: str) -> None:
        """A websocket is gone. One that is not known is no error."""
        place = Place(room_id, conn_id)
        identity = self._identities.pop(place, None)
        if identity is None:
            return
        of_session = self._of_session[identity.session_id]
        of_session.discard(place)
        if not of_session:
            del self._of_session[identity.session_id]

    def heard(self, ended: Ended) -> None:
        """Close what has ended."""
        places = self._of_session.get(ended.session_id, ()) if ended.session_id else self._of_account(ended)
        for place in list(places):
            self._close(place.room_id, place.conn_id)

    def _of_account(self, ended: Ended) -> list[Place]:
        return [
            place
            for place, identity in self._identities.items()
            if identity.user_id == ended.user_id and (ended.deleted or identity.issued_at < ended.at)
        ]
