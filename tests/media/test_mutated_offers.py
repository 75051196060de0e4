"""Real offers of Chromium 156 and Firefox 153 with nine slots, as they are and as nobody should send them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import sdp
from media.negotiation import Candidate, Local, answer, read_offer
from media.sdp import BadOffer, Fingerprint
from tests.media.offers import FINGERPRINT

REAL = {path.stem: path.read_bytes().decode() for path in (Path(__file__).parent / "real").glob("*.sdp")}
LOCAL = Local(
    "uuuu",
    "p" * 24,
    Fingerprint("sha-256", FINGERPRINT),
    (Candidate("udp", "127.0.0.1", 1), Candidate("tcp", "::1", 1)),
    tuple(range(64)),
    "c",
)
PIECES = [
    "",
    "=",
    "a=",
    "m=audio",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "v=0",
    "a=mid:",
    "a=group:BUNDLE",
    "99999999999999",
]
PIECES += [
    "a=ssrc:1",
    "a=rtpmap:111",
    "a=fmtp:63 111/111/111",
    "a=extmap:0 x",
    "a=candidate:x",
    "o=-",
    "\0",
    "é",
    "\ud800",
]


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_the_real_one_is_taken_whole(browser: str) -> None:
    offer = read_offer(REAL[browser], max_slots=9)
    assert offer.uplink is not None
    assert len(offer.slots) == 9
    assert all(line.level_id and line.mid_id for line in offer.lines)
    assert len(offer.session) == 2


@st.composite
def mutated(draw: st.DrawFn) -> str:
    lines = REAL[draw(st.sampled_from(sorted(REAL)))].split("\r\n")
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 7)):
            case 0:
                del lines[at : at + draw(st.integers(1, 40))]
            case 1:
                lines[at:at] = lines[at : at + draw(st.integers(1, 40))]
            case 2:
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
            case 4:
                cut = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut] + draw(st.sampled_from(PIECES)) + lines[at][cut:]
            case 5:
                lines[at] = draw(st.sampled_from(PIECES)) + draw(st.text(max_size=10))
            case 6:
                lines[at] = lines[at].replace(draw(st.sampled_from("01239 :/=")), draw(st.text(max_size=3)))
            case _:
                lines[at] *= draw(st.integers(0, 50))
        lines = lines or [""]
    return draw(st.sampled_from(["\r\n", "\n", "\r"])).join(lines)


@settings(max_examples=400)
@given(mutated())
def test_a_mutated_one_is_answered_or_refused_with_a_sentence(text: str) -> None:
    try:
        offer = read_offer(text, max_slots=9)
    except BadOffer:
        return
    said = sdp.parse(answer(offer, LOCAL))
    assert [section.mid for section in said.sections] == [line.mid for line in offer.lines]
    assert len(offer.slots) <= 9
