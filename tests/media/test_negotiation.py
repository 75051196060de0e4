"""Offer and answer: the answer speaks the offer's own numbers, m-line by m-line."""

from media.negotiation import Candidate, Local, Use, answer, read_offer
from media.sdp import Fingerprint
from tests.media.offers import FINGERPRINT, TRANSPORT, chromium, firefox, replaced, text

LOCAL = Local(
    ufrag="uuuu",
    pwd="pppppppppppppppppppppppp",
    fingerprint=Fingerprint("sha-256", "AA:BB"),
    candidates=(Candidate("udp", "192.0.2.1", 24780), Candidate("tcp", "127.0.0.1", 24780)),
    ssrcs=(1001, 1002, 1003),
    cname="cwrk",
)


def test_the_answer_to_chromium() -> None:
    offer = read_offer(text(chromium(slots=1)), max_slots=9)
    assert answer(offer, LOCAL).split("\r\n") == [
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        "a=ice-lite",
        "a=msid-semantic:WMS *",
        "m=audio 24780 UDP/TLS/RTP/SAVPF 63 111",
        "c=IN IP4 192.0.2.1",
        "a=mid:0",
        "a=rtcp-mux",
        "a=ice-ufrag:uuuu",
        "a=ice-pwd:pppppppppppppppppppppppp",
        "a=fingerprint:sha-256 AA:BB",
        "a=setup:passive",
        "a=candidate:1 1 udp 2130706431 192.0.2.1 24780 typ host",
        "a=candidate:2 1 tcp 1520434943 127.0.0.1 24780 typ host tcptype passive",
        "a=end-of-candidates",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1",
        "a=rtcp-fb:111 nack",
        "a=rtpmap:63 red/48000/2",
        "a=fmtp:63 111/111",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=recvonly",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 63",
        "c=IN IP4 0.0.0.0",
        "a=mid:1",
        "a=rtcp-mux",
        "a=ice-ufrag:uuuu",
        "a=ice-pwd:pppppppppppppppppppppppp",
        "a=fingerprint:sha-256 AA:BB",
        "a=setup:passive",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1",
        "a=rtcp-fb:111 nack",
        "a=rtpmap:63 red/48000/2",
        "a=fmtp:63 111/111",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=sendonly",
        "a=msid:s1 t1",
        "a=ssrc:1001 cname:cwrk",
        "",
    ]


def test_firefox_keeps_its_numbers() -> None:
    offer = read_offer(text(firefox()), max_slots=9)
    assert (offer.ufrag, offer.pwd) == ("1234abcd", "0123456789abcdef0123456789abcdef")
    assert offer.fingerprints == (Fingerprint("sha-256", FINGERPRINT),)
    uplink = offer.uplink
    assert uplink is not None
    assert (uplink.payload_type, uplink.level_id, uplink.mid_id) == (109, 1, 3)
    assert [(slot.mid, slot.payload_type, slot.mid_id) for slot in offer.slots] == [("1", 109, 3)]
    assert "a=rtpmap:109 opus/48000/2" in answer(offer, LOCAL)


def test_one_who_only_listens() -> None:
    offer = read_offer(text(replaced(chromium(slots=2), "a=sendonly", "a=recvonly")), max_slots=9)
    assert offer.uplink is None
    assert [slot.mid for slot in offer.slots] == ["0", "1", "2"]
    assert answer(offer, LOCAL).count("a=sendonly") == 3


def test_a_line_both_ways_is_the_one_to_speak_in() -> None:
    offer = read_offer(text(replaced(chromium(slots=1), "a=sendonly", "a=sendrecv")), max_slots=9)
    assert [line.use for line in offer.lines] == [Use.UPLINK, Use.SLOT]


def test_more_slots_than_the_worker_gives_stay_idle_in_their_place() -> None:
    offer = read_offer(text(chromium(slots=4)), max_slots=3)
    assert [line.use.value for line in offer.lines] == ["recvonly", *["sendonly"] * 3, "inactive"]
    said = answer(offer, LOCAL)
    assert said.count("m=audio") == 5
    assert said.count("a=inactive") == 1
    assert "a=group:BUNDLE 0 1 2 3 4" in said


def test_what_is_not_opus_audio_is_refused_in_its_place() -> None:
    lines = replaced(chromium(slots=1), "BUNDLE 0 1", "BUNDLE 0 v d c 1")
    at = next(i for i, line in enumerate(lines) if line == "a=mid:1") - 7
    assert lines[at].startswith("m=audio")
    video = ["m=video 9 UDP/TLS/RTP/SAVPF 96", *TRANSPORT, "a=mid:v", "a=rtcp-mux", "a=rtpmap:96 VP8/90000"]
    data = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", *TRANSPORT, "a=mid:d"]
    pcmu = ["m=audio 9 UDP/TLS/RTP/SAVPF 0", *TRANSPORT, "a=mid:c", "a=rtcp-mux", "a=rtpmap:0 PCMU/8000"]
    offer = read_offer(text([*lines[:at], *video, *data, *pcmu, *lines[at:]]), max_slots=9)
    said = answer(offer, LOCAL)
    assert [line.split(" ")[0:2] for line in said.splitlines() if line.startswith("m=")] == [
        ["m=audio", "24780"],
        ["m=video", "0"],
        ["m=application", "0"],
        ["m=audio", "0"],
        ["m=audio", "9"],
    ]
    assert "a=group:BUNDLE 0 1" in said.splitlines()


def test_an_extension_id_that_needs_two_bytes_is_not_taken() -> None:
    lines = replaced(chromium(), "a=extmap:4 urn", "a=extmap:15 urn")
    assert [line.mid_id for line in read_offer(text(lines), max_slots=9).lines] == [0, 0, 0]


def test_red_is_taken_only_where_it_repeats_opus() -> None:
    offer = read_offer(text(chromium()), max_slots=9)
    assert [line.red_payload_type for line in offer.lines] == [63, 63, 63]
    for parameters in ("111/9", "9/9", "", "111/111/9"):
        lines = replaced(chromium(), "a=fmtp:63 111/111", f"a=fmtp:63 {parameters}")
        said = answer(read_offer(text(lines), max_slots=9), LOCAL)
        assert "red" not in said
        assert "m=audio 24780 UDP/TLS/RTP/SAVPF 111\r\n" in said
    assert [line.red_payload_type for line in read_offer(text(firefox()), max_slots=9).lines] == [0, 0]
