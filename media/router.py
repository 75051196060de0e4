"""Who hears whom in one room.

A Router holds the room's Producers (a voice that is spoken), and for each listener its slots, the
receiving m-lines of its own offer. A Consumer is a slot that carries a Producer. The Router knows no
socket, no packet and no clock: each method is synchronous and returns the effects of the change, and they
run in order before the next call.

Slots are given out first come, first served: a listener hears the Producers in the order they came, as
many as it has slots. Nobody who has a slot is moved, until somebody who has none begins to speak: `promote`
then takes the slot of a Producer that may give way (media/selection.py says which). A slot that becomes free
goes to who was promoted last, and else to who waited longest. When nobody waits it is kept for who had it, as
long as newcomers find another: a voice that was lost and comes back is where it was.
"""

from __future__ import annotations

import enum
import itertools
from dataclasses import dataclass, field


class Kind(enum.Enum):
    """What a Producer sends. A room is built on voices; a second kind would have slots of its own."""

    VOICE = "voice"


@dataclass(frozen=True, slots=True)
class Slot:
    """A listener's m-line and whose voice it carries, None for nobody's."""

    mid: str
    user_id: str | None


@dataclass(frozen=True, slots=True)
class Connect:
    """The Producer's packets go to the listener's slot from now on; with `catch_up` what it has just said
    too, since it is in the middle of a word."""

    producer: str
    listener: str
    mid: str
    catch_up: bool = False


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Nothing goes to the listener's slot any more."""

    listener: str
    mid: str


@dataclass(frozen=True, slots=True)
class SetMuted:
    """Whether the Producer's packets are dropped."""

    producer: str
    muted: bool


@dataclass(frozen=True, slots=True)
class SlotsChanged:
    """What the listener has to be told."""

    listener: str
    slots: tuple[Slot, ...]


Effect = Connect | Disconnect | SetMuted | SlotsChanged


@dataclass(slots=True)
class _Producer:
    kind: Kind
    muted: bool


@dataclass(slots=True)
class _Listener:
    #: mid → the Producer it carries, in the order of the offer.
    consumers: dict[str, str | None] = field(default_factory=dict)
    #: mid → the Producer that it carried until it became free.
    before: dict[str, str] = field(default_factory=dict)

    def place_for(self, producer: str) -> str | None:
        """A free slot: the one that it had, else one that nobody is missed in, else any."""
        free = [mid for mid, carried in self.consumers.items() if carried is None]
        own = (mid for mid in free if self.before.get(mid) == producer)
        never_had = (mid for mid in free if mid not in self.before)
        return next(itertools.chain(own, never_had, free), None)


class Router:
    """One room's routing. Participants are named by their user id."""

    def __init__(self) -> None:
        self._producers: dict[str, _Producer] = {}  # in the order they came
        self._listeners: dict[str, _Listener] = {}
        self._promoted: dict[str, None] = {}  # the last one last

    @property
    def empty(self) -> bool:
        return not self._listeners

    @property
    def filled(self) -> int:
        """Slots that carry somebody, of all listeners."""
        return sum(
            carried is not None for each in self._listeners.values() for carried in each.consumers.values()
        )

    def slots(self, user_id: str) -> tuple[Slot, ...]:
        """The participant's slots as they are now; none for a participant who is not here."""
        listener = self._listeners.get(user_id)
        if listener is None:
            return ()
        return tuple(Slot(mid, producer) for mid, producer in listener.consumers.items())

    def join(self, user_id: str, mids: tuple[str, ...], *, speaks: bool, muted: bool) -> list[Effect]:
        """A participant comes, with slots `mids` to hear in, and speaking or only listening.

        One who is here already comes with a new transport: the others keep hearing it in the slots it
        has, connected afresh. Its own slots are new, and there is no SlotsChanged for them: `slots` says
        what they are.
        """
        effects: list[Effect] = []
        again = user_id in self._producers
        if again and not speaks:
            effects += self._silence(user_id)
        self._listeners[user_id] = _Listener(dict.fromkeys(mids))
        if speaks:
            self._producers.setdefault(user_id, _Producer(Kind.VOICE, muted)).muted = muted
            effects.append(SetMuted(user_id, muted))
            effects += self._reconnect(user_id) if again else self._offer(user_id)
        self._fill(user_id, effects)
        return effects

    def leave(self, user_id: str) -> list[Effect]:
        """A participant goes; nothing happens for one who is not here."""
        effects: list[Effect] = []
        self._listeners.pop(user_id, None)
        if user_id in self._producers:
            effects += self._silence(user_id)
        return effects

    def set_muted(self, user_id: str, muted: bool) -> list[Effect]:
        """Mutes or unmutes a Producer. Slots stay as they are: a mute is not a leaving."""
        producer = self._producers.get(user_id)
        if producer is None or producer.muted == muted:
            return []
        producer.muted = muted
        return [SetMuted(user_id, muted)]

    @property
    def crowded(self) -> bool:
        """Whether somebody has fewer slots than there are voices to hear."""
        voices = len(self._producers)
        return any(
            len(state.consumers) < voices - (listener in self._producers)
            for listener, state in self._listeners.items()
        )

    def promote(self, user_id: str, giving_way: list[str]) -> list[Effect]:
        """Everybody is to hear this Producer, in the slot of the first of `giving_way` that they hear. Who
        hears it already keeps it where it is, and who hears none of those goes on as before."""
        effects: list[Effect] = []
        if user_id not in self._producers:
            return effects
        self._promoted.pop(user_id, None)
        self._promoted[user_id] = None
        for listener, state in self._listeners.items():
            if not giving_way or listener == user_id or user_id in state.consumers.values():
                continue
            places = {producer: mid for mid, producer in state.consumers.items() if producer is not None}
            mid = next((places[producer] for producer in giving_way if producer in places), None)
            if mid is not None:
                state.consumers[mid] = user_id
                effects += [
                    Connect(user_id, listener, mid, catch_up=True),
                    SlotsChanged(listener, self.slots(listener)),
                ]
        return effects

    def _reconnect(self, producer: str) -> list[Effect]:
        return [
            Connect(producer, listener, mid)
            for listener, state in self._listeners.items()
            for mid, carried in state.consumers.items()
            if carried == producer
        ]

    def _offer(self, producer: str) -> list[Effect]:
        """Gives a new Producer a free slot of everybody who has one."""
        effects: list[Effect] = []
        for listener, state in self._listeners.items():
            if listener == producer:
                continue
            mid = state.place_for(producer)
            if mid is not None:
                state.consumers[mid] = producer
                effects += [
                    Connect(producer, listener, mid),
                    SlotsChanged(listener, self.slots(listener)),
                ]
        return effects

    def _silence(self, producer: str) -> list[Effect]:
        """Takes a Producer out of every slot, and gives those to who waits."""
        del self._producers[producer]
        self._promoted.pop(producer, None)
        effects: list[Effect] = []
        for listener, state in self._listeners.items():
            for mid, carried in state.consumers.items():
                if carried == producer:
                    state.consumers[mid] = None
                    state.before[mid] = producer
                    effects.append(Disconnect(listener, mid))
                    self._fill(listener, effects)
                    effects.append(SlotsChanged(listener, self.slots(listener)))
                    break
        return effects

    def _fill(self, listener: str, effects: list[Effect]) -> None:
        """Gives the listener's free slots to the Producers it does not hear yet."""
        state = self._listeners[listener]
        heard = set(state.consumers.values())
        order = [*reversed(self._promoted), *self._producers]
        for producer in dict.fromkeys(order):
            if producer == listener or producer in heard:
                continue
            mid = state.place_for(producer)
            if mid is None:
                break
            state.consumers[mid] = producer
            effects.append(Connect(producer, listener, mid))
