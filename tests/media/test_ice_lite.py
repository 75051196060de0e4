"""ICE-lite: a participant's address is believed only from checks that carry its credentials."""

from __future__ import annotations

import random

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from media import address
from media.address import Path
from media.ice import MAX_PATHS, Credentials, IceLite

HOME = Path(0, address.pack("192.0.2.10", 5000))
AWAY = Path(0, address.pack("198.51.100.7", 6000))
REMOTE = "remo"


@pytest.fixture
def ice() -> IceLite:
    return IceLite()


def check(
    local: Credentials,
    *,
    nominate: bool = False,
    username: str | None = None,
    pwd: str | None = None,
    role: str = "ICE-CONTROLLING",
) -> bytes:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes = {
        "USERNAME": f"{local.ufrag}:{REMOTE}" if username is None else username,
        "PRIORITY": 1,
        role: 1,
    }
    if nominate:
        request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity((local.pwd if pwd is None else pwd).encode())
    return bytes(request)


def test_a_check_is_answered_with_the_address_it_came_from(ice: IceLite) -> None:
    local = ice.add(7, REMOTE)
    request = check(local)
    checked = ice.receive(request, HOME)
    assert checked is not None
    assert (checked.transport, checked.learned, checked.selected) == (7, True, True)
    reply = stun.parse_message(checked.reply)
    assert reply.message_class is stun.Class.RESPONSE
    assert reply.transaction_id == request[8:20]
    assert reply.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.10", 5000)
    assert reply.check_message_integrity(local.pwd.encode())


def test_an_ipv6_address_too(ice: IceLite) -> None:
    checked = ice.receive(check(ice.add(7, REMOTE)), Path(0, address.pack("2001:db8::1", 5000)))
    assert checked is not None
    assert stun.parse_message(checked.reply).attributes["XOR-MAPPED-ADDRESS"] == ("2001:db8::1", 5000)


def test_the_first_check_sets_where_to_send_and_only_a_nomination_moves_it(ice: IceLite) -> None:
    local = ice.add(7, REMOTE)
    ice.receive(check(local), HOME)
    plain = ice.receive(check(local), AWAY)
    assert plain is not None
    assert (plain.learned, plain.selected) == (True, False)
    nominated = ice.receive(check(local, nominate=True), AWAY)
    assert nominated is not None
    assert (nominated.learned, nominated.selected) == (False, True)


def test_a_replayed_check_moves_nothing_and_teaches_nothing(ice: IceLite) -> None:
    local = ice.add(7, REMOTE)
    request = check(local, nominate=True)
    ice.receive(request, HOME)
    replayed = ice.receive(request, AWAY)
    assert replayed is not None
    assert (replayed.learned, replayed.selected) == (False, False)


@pytest.mark.parametrize(
    "forged",
    [
        {"pwd": "x" * 24},
        {"username": "nobody:remo"},
        {"username": ""},
    ],
)
def test_a_check_without_the_credentials_is_not_even_answered(ice: IceLite, forged: dict[str, str]) -> None:
    local = ice.add(7, REMOTE)
    assert ice.receive(check(local, nominate=True, **forged), AWAY) is None


def test_a_check_for_the_other_side_of_another_offer_is_not_answered(ice: IceLite) -> None:
    local = ice.add(7, REMOTE)
    assert ice.receive(check(local, username=f"{local.ufrag}:other"), HOME) is None


def test_two_participants_on_one_port_are_told_apart(ice: IceLite) -> None:
    ann, bob = ice.add(1, REMOTE), ice.add(2, REMOTE)
    first, second = ice.receive(check(bob), HOME), ice.receive(check(ann), AWAY)
    assert first is not None
    assert second is not None
    assert (first.transport, second.transport) == (2, 1)


def test_an_address_in_use_is_not_taken_by_another_participant(ice: IceLite) -> None:
    """Eve may be in the room, and forge the address that Ann's voice comes from."""
    ann, eve = ice.add(1, REMOTE), ice.add(2, REMOTE)
    ice.receive(check(ann), HOME)
    forged = ice.receive(check(eve, nominate=True), HOME)
    assert forged is not None
    assert (forged.transport, forged.learned, forged.selected) == (2, False, False)
    ice.remove(1)
    honest = ice.receive(check(eve, nominate=True), HOME)
    assert honest is not None
    assert (honest.learned, honest.selected) == (True, True)


def test_a_participants_own_next_session_may_take_its_address(ice: IceLite) -> None:
    """A client with one socket offers again while the old voice still runs."""
    old, new, eve = ice.add(1, REMOTE, "ann"), ice.add(2, REMOTE, "ann"), ice.add(3, REMOTE, "eve")
    ice.receive(check(old), HOME)
    taken = ice.receive(check(new), HOME)
    assert taken is not None
    assert (taken.learned, taken.selected) == (True, True)
    ice.remove(1)
    forged = ice.receive(check(eve), HOME)
    assert forged is not None
    assert not forged.proven


def test_an_address_left_behind_is_free_again(ice: IceLite) -> None:
    ann, bob = ice.add(1, REMOTE), ice.add(2, REMOTE)
    ice.receive(check(ann), HOME)
    ice.receive(check(ann, nominate=True), AWAY)
    checked = ice.receive(check(bob), HOME)
    assert checked is not None
    assert (checked.learned, checked.selected) == (True, True)


def test_a_client_that_thinks_it_is_controlled_is_told_otherwise(ice: IceLite) -> None:
    checked = ice.receive(check(ice.add(7, REMOTE), role="ICE-CONTROLLED"), HOME)
    assert checked is not None
    assert not checked.learned
    assert stun.parse_message(checked.reply).error_code == 487


def test_a_restart_moves_at_its_first_check_and_then_by_nomination(ice: IceLite) -> None:
    old = ice.add(7, REMOTE)
    ice.receive(check(old), HOME)
    new = ice.restart(7, "next")
    assert new != old
    assert ice.restart(7, "next") == new
    moved = ice.receive(check(new, username=f"{new.ufrag}:next"), AWAY)
    assert moved is not None
    assert (moved.learned, moved.selected) == (True, True)
    late = ice.receive(check(old, nominate=True), HOME)
    assert late is not None
    assert (late.proven, late.selected) == (True, False)
    back = ice.receive(check(new, username=f"{new.ufrag}:next", nominate=True), HOME)
    assert back is not None
    assert back.selected
    assert ice.receive(check(old), HOME) is None


def test_only_two_generations_are_answered(ice: IceLite) -> None:
    first = ice.add(7, REMOTE)
    second = ice.restart(7, "next")
    ice.restart(7, "last")
    assert ice.receive(check(first), HOME) is None
    assert ice.receive(check(second, username=f"{second.ufrag}:next"), HOME) is not None
    ice.remove(7)
    assert ice.receive(check(second, username=f"{second.ufrag}:next"), HOME) is None


def test_a_path_that_has_ended_is_nobodys(ice: IceLite) -> None:
    ann, bob = ice.add(1, REMOTE), ice.add(2, REMOTE)
    ice.receive(check(ann), HOME)
    assert ice.gone(AWAY) == []
    assert ice.gone(HOME) == [1]
    elsewhere = ice.receive(check(ann), AWAY)
    assert elsewhere is not None
    assert elsewhere.selected
    taken = ice.receive(check(bob), HOME)
    assert taken is not None
    assert taken.selected


def test_after_removal_nothing_is_answered(ice: IceLite) -> None:
    local = ice.add(7, REMOTE)
    ice.remove(7)
    assert ice.receive(check(local), HOME) is None


def test_addresses_are_bounded_and_the_one_in_use_stays(ice: IceLite) -> None:
    local = ice.add(7, REMOTE)
    ice.receive(check(local), HOME)
    paths = [Path(0, address.pack("192.0.2.1", port)) for port in range(1, MAX_PATHS + 5)]
    forgotten = []
    for path in paths:
        checked = ice.receive(check(local), path)
        assert checked is not None
        forgotten.append(checked.forgotten)
    assert forgotten == [None] * (MAX_PATHS - 1) + paths[:5]


@given(st.binary(max_size=200))
def test_noise_is_nothing(noise: bytes) -> None:
    ice = IceLite()
    ice.add(1, REMOTE)
    assert ice.receive(noise, HOME) is None


@given(st.integers(0, 2**32), st.integers(1, 5))
def test_a_mutated_check_is_nothing_or_a_check(seed: int, flips: int) -> None:
    """With the wrong octets changed the integrity fails; nothing is raised whatever changes."""
    ice = IceLite()
    request = bytearray(check(ice.add(1, REMOTE)))
    dice = random.Random(seed)
    for _ in range(flips):
        request[dice.randrange(len(request))] ^= dice.randrange(1, 256)
    checked = ice.receive(bytes(request), HOME)
    assert checked is None or not checked.learned or checked.transport == 1
