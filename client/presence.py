"""Who is in the room, by what the server says; each change is an event, however it was heard of. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from client.errors import ProtocolError
from client.events import PassingEvent, PersonJoined, PersonLeft, PersonUpdated
from client.models import Person, Settings


@dataclass
class Presence:
    """`people` by user id."""

    people: dict[str, Person] = field(default_factory=dict)
    settings: Settings | None = None

    def hear(self, frame: Mapping[str, Any]) -> list[PassingEvent]:
        """What a frame changes; nothing, where it is not about people."""
        kind, payload = frame["type"], frame["payload"]
        try:
            match kind:
                case "state":
                    return list(self._is(payload))
                case "peer_joined" | "participant_updated":
                    return list(self._set(Person.read(payload["participant"])))
                case "peer_left":
                    gone = self.people.pop(payload["user_id"], None)
                    return [PersonLeft(gone)] if gone else []
                case "room_updated":
                    self._set_settings(Settings.read(payload["room"]))
        except (KeyError, TypeError, ValueError) as wrong:
            raise ProtocolError(f"cannot read a frame of type {kind}: {wrong!r}") from wrong
        return []

    def _is(self, payload: Mapping[str, Any]) -> Iterator[PassingEvent]:
        """The whole of it, after each connecting: who came and left meanwhile is told as if it were now."""
        first, self.settings = self.settings is None, Settings.read(payload["room"])
        here = {person.user_id: person for person in map(Person.read, payload["participants"])}
        if first:
            self.people.update(here)
            return
        for gone in self.people.keys() - here.keys():
            yield PersonLeft(self.people.pop(gone))
        for person in here.values():
            yield from self._set(person)

    def _set(self, person: Person) -> Iterator[PassingEvent]:
        before = self.people.get(person.user_id)
        self.people[person.user_id] = person
        if before is None:
            yield PersonJoined(person)
        elif before != person:
            yield PersonUpdated(person)

    def _set_settings(self, settings: Settings) -> None:
        """Of members the room decides whether they may speak; no frame says so of each."""
        self.settings = settings
        for person in self.people.values():
            if person.role == "member":
                self.people[person.user_id] = replace(person, may_speak=not settings.listen_only)
