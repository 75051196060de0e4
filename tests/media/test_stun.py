"""Our reader and writer of checks say what aioice's general parser says, which knows nothing of ours."""

from __future__ import annotations

from aioice import stun as aioice
from hypothesis import given
from hypothesis import strategies as st

from media import address, stun

KEY = b"k" * 24
_OTHERS = {"PRIORITY": 2130706431, "SOFTWARE": "a browser", "ICE-CONTROLLING": 1 << 63}
_FINGERPRINT = 8


def request(attributes: dict[str, object], key: bytes = KEY) -> bytes:
    message = aioice.Message(aioice.Method.BINDING, aioice.Class.REQUEST, attributes=dict(attributes))
    message.add_message_integrity(key)
    return bytes(message)


def refinished(body: bytes) -> bytes:
    """A message whose length and FINGERPRINT are right, whatever it says."""
    whole = body[:2] + (len(body) - 20 + _FINGERPRINT).to_bytes(2, "big") + body[4:]
    return whole + b"\x80\x28\x00\x04" + aioice.message_fingerprint(whole).to_bytes(4, "big")


usernames = st.text(st.characters(codec="ascii"), min_size=1, max_size=40)
attributes = st.permutations(["USERNAME", "ICE-CONTROLLED", "USE-CANDIDATE", *_OTHERS]).flatmap(
    lambda order: st.integers(0, len(order)).map(lambda some: order[:some])
)


@given(usernames, attributes)
def test_a_check_is_read_as_aioice_wrote_it(username: str, names: list[str]) -> None:
    values: dict[str, object] = {"USERNAME": username, "ICE-CONTROLLED": 7, "USE-CANDIDATE": None, **_OTHERS}
    datagram = request({name: values[name] for name in names})
    if "USERNAME" not in names:
        assert stun.read(datagram, KEY) is None
        return
    assert stun.username(datagram) == username.encode()
    assert stun.read(datagram, KEY) == stun.Check(
        datagram[8:20], username.encode(), "ICE-CONTROLLED" in names, "USE-CANDIDATE" in names
    )
    assert stun.read(datagram, KEY[:-1] + b"x") is None


@given(st.binary(min_size=12, max_size=12), st.ip_addresses(), st.integers(0, 65535))
def test_aioice_reads_our_answers(transaction: bytes, host: object, port: int) -> None:
    check = stun.Check(transaction, b"", False, False)
    answer = aioice.parse_message(stun.response(check, address.pack(str(host), port), KEY))
    assert (answer.message_method, answer.message_class) == (aioice.Method.BINDING, aioice.Class.RESPONSE)
    assert answer.transaction_id == transaction
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == (str(host), port)
    assert "FINGERPRINT" in answer.attributes
    assert answer.check_message_integrity(KEY)
    refused = aioice.parse_message(stun.role_conflict(check, KEY))
    assert (refused.message_class, refused.transaction_id) == (aioice.Class.ERROR, transaction)
    assert refused.attributes["ERROR-CODE"] == (487, "Role Conflict")
    assert "FINGERPRINT" in refused.attributes
    assert refused.check_message_integrity(KEY)


@given(st.data())
def test_what_is_changed_on_the_way_is_no_check(data: st.DataObject) -> None:
    """Also where the FINGERPRINT, which needs no key, was made to fit."""
    whole = request({"USERNAME": "ours:theirs", **_OTHERS, "USE-CANDIDATE": None})
    place = data.draw(st.integers(0, len(whole) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]
    assert stun.read(changed, KEY) is None
    if place not in (2, 3) and place < len(whole) - _FINGERPRINT:
        assert stun.read(refinished(changed[:-_FINGERPRINT]), KEY) is None
    assert stun.read(whole[:place], KEY) is None
    assert stun.read(whole + bytes(4), KEY) is None


@given(st.binary(max_size=120))
def test_noise_behind_a_header_is_nothing(noise: bytes) -> None:
    header = b"\0\1" + len(noise).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12)
    stun.username(header + noise)
    assert stun.read(header + noise, KEY) is None


def test_what_follows_the_integrity_does_not_count() -> None:
    """Anybody on the way could have put it there (RFC 8489, section 14.5)."""
    signed = request({"USERNAME": "ours:theirs"})[:-_FINGERPRINT]
    nominated = refinished(signed + b"\x00\x25\x00\x00")
    check = stun.read(nominated, KEY)
    assert check is not None
    assert not check.nominates
    nameless = request({"PRIORITY": 1})[:-_FINGERPRINT]
    assert stun.read(refinished(nameless + b"\x00\x06\x00\x04ours"), KEY) is None


def test_of_a_name_said_twice_the_first_counts() -> None:
    plain = bytes(aioice.Message(aioice.Method.BINDING, aioice.Class.REQUEST))
    plain += b"\x00\x06\x00\x04ours\x00\x06\x00\x04fake"
    signed = plain + b"\x00\x08\x00\x14" + aioice.message_integrity(plain, KEY)
    datagram = refinished(signed)
    check = stun.read(datagram, KEY)
    assert check is not None
    assert check.username == b"ours" == stun.username(datagram)


def test_without_integrity_or_fingerprint_it_is_no_check() -> None:
    plain = aioice.Message(aioice.Method.BINDING, aioice.Class.REQUEST, attributes={"USERNAME": "ours"})
    assert stun.read(refinished(bytes(plain)), KEY) is None
    signed = bytearray(request({"USERNAME": "ours"})[:-_FINGERPRINT])
    signed[2:4] = (len(signed) - 20).to_bytes(2, "big")
    assert stun.read(bytes(signed), KEY) is None
    assert stun.read(request({"USERNAME": "ours"}), KEY) is not None
