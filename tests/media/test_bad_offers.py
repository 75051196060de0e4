"""An offer that cannot be answered is said to be so, with what is wrong; nothing else is raised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import sdp
from media.negotiation import Candidate, Local, answer, read_offer
from media.sdp import BadOffer, Fingerprint
from tests.media.offers import FINGERPRINT, chromium, replaced, text, without

OFFER = chromium(slots=1)


@pytest.mark.parametrize(
    ("offer", "says"),
    [
        ("", "v=0"),
        ("hello", "v=0"),
        ("v=0\r\nnonsense", "line 2"),
        ("v=0\r\ns=-\r\n", "no m-line"),
        ("v=0\r\nm=audio\r\n", "line 2: an m-line"),
        ("v=0\r\nm=audio 70000 UDP/TLS/RTP/SAVPF 111\r\n", "port"),
        ("v=0\r\nm=audio -1 UDP/TLS/RTP/SAVPF 111\r\n", "port"),
        (text(without(OFFER, "a=mid")), "no a=mid"),
        (text(replaced(OFFER, "a=mid:1", "a=mid:0")), "same a=mid"),
        (text(replaced(OFFER, "a=mid:1", "a=mid:" + "x" * 65)), "token"),
        (text(without(OFFER, "a=group")), "no m-line is audio"),
        (text(without(OFFER, "a=rtpmap:111")), "no m-line is audio with Opus"),
        (text(replaced(OFFER, "111", "72")), "no m-line is audio with Opus"),  # it would read as RTCP
        (text(replaced(OFFER, "m=audio", "m=video")), "no m-line is audio"),
        (text(without(OFFER, "a=ice-ufrag")), "a=ice-ufrag"),
        (text(without(OFFER, "a=ice-pwd")), "a=ice-pwd"),
        (text(replaced(OFFER, "a=ice-ufrag:abcd", "a=ice-ufrag:a b")), "ICE characters"),
        (text(replaced(OFFER, "a=ice-ufrag:abcd", "a=ice-ufrag:" + "a" * 257)), "ICE characters"),
        (text(without(OFFER, "a=fingerprint")), "no a=fingerprint"),
        (text(replaced(OFFER, "sha-256", "md5")), "no a=fingerprint"),
        (text(replaced(OFFER, "a=fingerprint:sha-256 00:", "a=fingerprint:sha-256 ")), "digest"),
        (text(without(OFFER, "a=setup")), "a=setup"),
        (text(replaced(OFFER, "a=setup:actpass", "a=setup:passive")), "a=setup must be"),
        (text(replaced(OFFER, "a=setup:actpass", "a=setup:sideways")), "a=setup is none"),
        (text(without(OFFER, "a=rtcp-mux")), "a=rtcp-mux"),
        (text(replaced(OFFER, "a=rtpmap:111", "a=rtpmap:1e2")), "payload type"),
        (text(replaced(OFFER, "a=extmap:4", "a=extmap:four")), "extension id"),
        (text([*OFFER, "a=x" * 30_000]), "longer than"),
        (text([*OFFER, *["a=x"] * 5_000]), "lines"),
        (text([*OFFER, *["m=audio 9 UDP/TLS/RTP/SAVPF 111"] * 64]), "64 m-lines"),
    ],
)
def test_the_error_names_what_is_wrong(offer: str, says: str) -> None:
    with pytest.raises(BadOffer, match=says):
        read_offer(offer, max_slots=9)


def test_no_error_repeats_a_password() -> None:
    with pytest.raises(BadOffer) as raised:
        read_offer(text(replaced(OFFER, "a=ice-pwd:", "a=ice-pwd:sécret")), max_slots=9)
    assert "cret" not in str(raised.value)


LOCAL = Local(
    "uuuu",
    "p" * 24,
    Fingerprint("sha-256", FINGERPRINT),
    (Candidate("udp", "127.0.0.1", 1),),
    tuple(range(64)),
    "c",
)


@given(st.data())
def test_a_mangled_offer_is_answered_or_refused(data: st.DataObject) -> None:
    """Lines dropped, doubled, swapped and overwritten: an answer that reads back, or BadOffer."""
    lines = list(OFFER)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(lines) - 1))
        action = data.draw(st.sampled_from(["drop", "double", "swap", "overwrite", "cut"]))
        if action == "drop" and len(lines) > 1:
            del lines[at]
        elif action == "double":
            lines.insert(at, lines[at])
        elif action == "swap":
            lines[at], lines[0] = lines[0], lines[at]
        elif action == "overwrite":
            lines[at] = data.draw(st.sampled_from(["a=", "m=", "a="])) + data.draw(st.text(max_size=20))
        else:
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
    try:
        offer = read_offer(text(lines), max_slots=9)
    except BadOffer:
        return
    said = sdp.parse(answer(offer, LOCAL))
    assert [section.mid for section in said.sections] == [line.mid for line in offer.lines]


@given(st.text(max_size=300))
def test_any_text_is_refused(noise: str) -> None:
    with pytest.raises(BadOffer):
        read_offer("v=0\r\n" + noise, max_slots=9)
