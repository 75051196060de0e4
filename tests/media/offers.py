"""Offers as browsers make them, cut down to what matters."""

from __future__ import annotations

FINGERPRINT = ":".join(f"{octet:02X}" for octet in range(32))
TRANSPORT = [
    "a=ice-ufrag:abcd",
    "a=ice-pwd:0123456789abcdef01234567",
    f"a=fingerprint:sha-256 {FINGERPRINT}",
    "a=setup:actpass",
]


def chromium(slots: int = 2) -> list[str]:
    """Chromium's: everything at the m-lines, Opus is 111 and RED 63."""
    lines = ["v=0", "o=- 4611733055 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines += ["a=group:BUNDLE " + " ".join(str(mid) for mid in range(slots + 1)), "a=msid-semantic: WMS"]
    for mid in range(slots + 1):
        lines += ["m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126", "c=IN IP4 0.0.0.0", *TRANSPORT]
        lines += [
            "a=ice-options:trickle",
            f"a=mid:{mid}",
            "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=recvonly" if mid else "a=sendonly",
            "a=rtcp-mux",
            "a=rtcp-rsize",
            "a=rtpmap:111 opus/48000/2",
            "a=rtcp-fb:111 transport-cc",
            "a=fmtp:111 minptime=10;useinbandfec=1",
            "a=rtpmap:63 red/48000/2",
            "a=fmtp:63 111/111",
            "a=rtpmap:110 telephone-event/48000",
        ]
    return lines


def firefox(slots: int = 1) -> list[str]:
    """Firefox's: the fingerprint at the session, Opus is 109, and other extension ids."""
    lines = ["v=0", "o=mozilla...THIS_IS_SDPARTA-99.0 4242 0 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    lines += [f"a=fingerprint:sha-256 {FINGERPRINT}"]
    lines += ["a=group:BUNDLE " + " ".join(str(mid) for mid in range(slots + 1))]
    for mid in range(slots + 1):
        lines += [
            "m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101" if mid == 0 else "m=audio 0 UDP/TLS/RTP/SAVPF 109 9",
            "c=IN IP4 0.0.0.0",
            *([] if mid == 0 else ["a=bundle-only"]),
            "a=sendonly" if mid == 0 else "a=recvonly",
            "a=extmap:1/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1",
            "a=ice-pwd:0123456789abcdef0123456789abcdef",
            "a=ice-ufrag:1234abcd",
            f"a=mid:{mid}",
            "a=rtcp-mux",
            "a=rtpmap:109 opus/48000/2",
            "a=setup:actpass",
        ]
    return lines


def text(lines: list[str]) -> str:
    return "\r\n".join([*lines, ""])


def without(lines: list[str], prefix: str) -> list[str]:
    return [line for line in lines if not line.startswith(prefix)]


def replaced(lines: list[str], old: str, new: str) -> list[str]:
    assert any(old in line for line in lines), old
    return [line.replace(old, new) for line in lines]
