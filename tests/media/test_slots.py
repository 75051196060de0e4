"""Who hears whom: slots are given first come, first served, and nobody who has one is moved."""

from hypothesis import given
from hypothesis import strategies as st

from media.router import Connect, Disconnect, Router, SetMuted, Slot, SlotsChanged


def join(router: Router, user: str, slots: int = 2, *, speaks: bool = True) -> None:
    router.join(user, tuple(f"m{i}" for i in range(slots)), speaks=speaks, muted=False)


def heard(router: Router, user: str) -> list[str | None]:
    return [slot.user_id for slot in router.slots(user)]


def test_a_newcomer_hears_the_others_and_they_hear_it() -> None:
    router = Router()
    assert router.join("ann", ("1", "2"), speaks=True, muted=False) == [SetMuted("ann", False)]
    assert router.join("bob", ("7", "8"), speaks=True, muted=True) == [
        SetMuted("bob", True),
        Connect("bob", "ann", "1"),
        SlotsChanged("ann", (Slot("1", "bob"), Slot("2", None))),
        Connect("ann", "bob", "7"),
    ]
    assert router.slots("bob") == (Slot("7", "ann"), Slot("8", None))


def test_one_who_only_listens_takes_nobodys_slot() -> None:
    router = Router()
    join(router, "ann")
    assert router.join("bob", ("1",), speaks=False, muted=False) == [Connect("ann", "bob", "1")]
    assert heard(router, "ann") == [None, None]


def test_a_slot_that_becomes_free_goes_to_who_waited_longest() -> None:
    router = Router()
    for user in ("ann", "bob", "eve", "kim", "leo"):
        join(router, user)
    assert heard(router, "ann") == ["bob", "eve"]
    effects = router.leave("bob")
    assert Disconnect("ann", "m0") in effects
    assert Connect("kim", "ann", "m0") in effects
    assert SlotsChanged("ann", (Slot("m0", "kim"), Slot("m1", "eve"))) in effects
    assert heard(router, "leo") == ["ann", "eve"]


def test_who_has_a_slot_stays_in_it_when_others_go() -> None:
    router = Router()
    for user in ("ann", "bob", "eve"):
        join(router, user)
    router.leave("bob")
    assert heard(router, "ann") == [None, "eve"]
    join(router, "kim")
    assert heard(router, "ann") == ["kim", "eve"]


def test_who_comes_back_is_where_they_were() -> None:
    router = Router()
    for user in ("ann", "bob", "eve", "kim"):
        join(router, user, slots=4)
    assert heard(router, "ann") == ["bob", "eve", "kim", None]
    router.leave("bob")
    router.leave("eve")
    join(router, "leo", slots=4)
    assert heard(router, "ann") == [None, None, "kim", "leo"]
    join(router, "eve", slots=4)
    join(router, "bob", slots=4)
    assert heard(router, "ann") == ["bob", "eve", "kim", "leo"]


def test_a_slot_is_kept_for_nobody_when_it_is_needed() -> None:
    router = Router()
    for user in ("ann", "bob", "eve"):
        join(router, user)
    router.leave("bob")
    router.leave("eve")
    join(router, "leo")
    join(router, "kim")
    assert heard(router, "ann") == ["leo", "kim"]
    router.leave("leo")
    join(router, "bob")
    assert heard(router, "ann") == ["bob", "kim"]


def test_a_room_is_crowded_when_somebody_cannot_hear_everybody() -> None:
    router = Router()
    crowded = []
    for user, slots in (("ann", 2), ("bob", 2), ("eve", 2), ("kim", 3)):
        join(router, user, slots=slots)
        crowded.append(router.crowded)
    assert crowded == [False, False, False, True]
    router.leave("bob")
    assert not router.crowded


def test_one_who_cannot_hear_makes_a_crowd_too() -> None:
    router = Router()
    join(router, "ann")
    join(router, "leo", slots=0, speaks=False)
    assert router.crowded


def test_who_begins_to_speak_takes_the_slot_of_the_first_that_gives_way() -> None:
    router = Router()
    for user in ("ann", "bob", "eve", "kim", "leo"):
        join(router, user)
    assert heard(router, "ann") == ["bob", "eve"]
    effects = router.promote("kim", ["leo", "eve", "bob"])
    assert effects[:2] == [
        Connect("kim", "ann", "m1", catch_up=True),
        SlotsChanged("ann", (Slot("m0", "bob"), Slot("m1", "kim"))),
    ]
    everybody = [heard(router, user) for user in ("ann", "bob", "eve", "kim", "leo")]
    assert everybody == [["bob", "kim"], ["ann", "kim"], ["ann", "kim"], ["ann", "bob"], ["ann", "kim"]]


def test_where_nobody_gives_way_nothing_changes() -> None:
    router = Router()
    for user in ("ann", "bob", "eve", "kim"):
        join(router, user)
    assert router.promote("kim", []) == []
    assert router.promote("kim", ["kim", "leo"]) == []
    assert router.promote("leo", ["ann"]) == []
    assert heard(router, "ann") == ["bob", "eve"]


def test_a_slot_that_becomes_free_goes_to_who_spoke_last() -> None:
    router = Router()
    for user in ("ann", "bob", "eve", "kim", "leo", "mia"):
        join(router, user)
    router.promote("leo", [])
    router.promote("kim", [])
    router.leave("bob")
    assert heard(router, "ann") == ["kim", "eve"]
    join(router, "newcomer", slots=3)
    assert heard(router, "newcomer") == ["kim", "leo", "ann"]


def test_a_mute_changes_no_slot() -> None:
    router = Router()
    join(router, "ann")
    join(router, "bob")
    assert router.set_muted("ann", True) == [SetMuted("ann", True)]
    assert router.set_muted("ann", True) == []
    assert heard(router, "bob") == ["ann", None]


def test_one_who_comes_again_keeps_its_place_with_the_others() -> None:
    router = Router()
    for user in ("ann", "bob", "eve", "kim"):
        join(router, user)
    effects = router.join("bob", ("x",), speaks=True, muted=False)
    assert Connect("bob", "ann", "m0") in effects
    assert not [each for each in effects if isinstance(each, SlotsChanged | Disconnect)]
    assert heard(router, "ann") == ["bob", "eve"]
    assert router.slots("bob") == (Slot("x", "ann"),)


def test_one_who_comes_again_without_a_voice_leaves_its_slots() -> None:
    router = Router()
    for user in ("ann", "bob", "eve", "kim"):
        join(router, user)
    router.join("bob", ("x",), speaks=False, muted=False)
    assert heard(router, "ann") == ["kim", "eve"]


def test_who_is_not_here_changes_nothing() -> None:
    router = Router()
    assert router.leave("ann") == []
    assert router.set_muted("ann", True) == []
    assert router.slots("ann") == ()
    assert router.empty


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdefg"), st.sampled_from(["join", "listen", "leave", "speak"])),
        max_size=60,
    )
)
def test_every_slot_is_used_that_can_be(steps: list[tuple[str, str]]) -> None:
    """After any history: nobody hears themselves or one twice, and no slot is free while somebody waits. The
    effects, played back, give the same picture."""
    router = Router()
    speakers: dict[str, bool] = {}
    routes: dict[tuple[str, str], str] = {}
    for user, action in steps:
        if action == "speak":
            effects = router.promote(user, sorted(set("abcdefg") - {user}))
        elif action == "leave":
            speakers.pop(user, None)
            effects = router.leave(user)
            routes = {key: producer for key, producer in routes.items() if key[0] != user}
        else:
            speakers[user] = action == "join"
            routes = {key: producer for key, producer in routes.items() if key[0] != user}
            effects = router.join(user, ("1", "2", "3"), speaks=action == "join", muted=False)
        if action == "speak" and speakers.get(user):
            assert all(user in heard(router, other) for other in speakers if other != user)
        for effect in effects:
            if isinstance(effect, Connect):
                routes[effect.listener, effect.mid] = effect.producer
            elif isinstance(effect, Disconnect):
                del routes[effect.listener, effect.mid]
    for listener in speakers:
        carried = [name for name in heard(router, listener) if name is not None]
        others = [name for name, speaks in speakers.items() if speaks and name != listener]
        assert len(set(carried)) == len(carried) == min(3, len(others))
        assert set(carried) <= set(others)
        for slot in router.slots(listener):
            assert routes.get((listener, slot.mid)) == slot.user_id
