"""SRTP (RFC 3711, RFC 7714) through the libsrtp that pylibsrtp ships: the only importer of pylibsrtp.

`pylibsrtp.Session` copies each packet three times. The packet loop calls the same library on its own
buffers instead, by pylibsrtp's cffi binding. Those names are private to pylibsrtp;
tests/media/test_transport_contract.py says which they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pylibsrtp import Error, Policy, Session
from pylibsrtp import _binding as binding

ffi: Final = binding.ffi
#: protect(context, pointer, length pointer) → 0 or an error; in place, the length is updated. The buffer
#: has room for TRAILER octets more.
protect: Final = binding.lib.srtp_protect
unprotect: Final = binding.lib.srtp_unprotect

#: What unprotect answers to a packet that came before, or is too old to know: libsrtp's replay_fail and
#: replay_old.
REPLAYED: Final = frozenset({9, 10})

#: The longest authentication tag of the profiles we negotiate, octets.
TRAILER: Final = 16
#: Packets back that are told from replays …
_REPLAY_WINDOW: Final = 1024
#: … and that are still encrypted when they are to go out again: what media/sequence.py finds must be inside.
#: libsrtp moves this window, word by word, with each packet it sends.
_REPEAT_WINDOW: Final = 256


def function(name: str) -> Any:
    """A function of the library, for another library to call."""
    return ffi.addressof(binding.lib, name)


def address_of(what: Any) -> int:
    """Where a function or a context is."""
    return int(ffi.cast("uintptr_t", what))


@dataclass(frozen=True, slots=True)
class Keys:
    """What a handshake ends in: libsrtp's number of the profile, and key with salt of either direction."""

    profile: int
    receive: bytes = field(repr=False)
    transmit: bytes = field(repr=False)


class Contexts:
    """One participant's SRTP state.

    RTP and RTCP have contexts of their own, so that a packet loop in another thread shares none with us.
    `receive` and `transmit` are what `unprotect` and `protect` take; they live as long as this object.
    """

    __slots__ = ("_rtcp_in", "_rtcp_out", "_rtp_in", "_rtp_out", "receive", "transmit")

    def __init__(self, keys: Keys) -> None:
        self._rtp_in = _session(keys.profile, keys.receive, Policy.SSRC_ANY_INBOUND)
        self._rtp_out = _session(keys.profile, keys.transmit, Policy.SSRC_ANY_OUTBOUND)
        self._rtcp_in = _session(keys.profile, keys.receive, Policy.SSRC_ANY_INBOUND)
        self._rtcp_out = _session(keys.profile, keys.transmit, Policy.SSRC_ANY_OUTBOUND)
        self.receive: Any = self._rtp_in._srtp[0]
        self.transmit: Any = self._rtp_out._srtp[0]

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """The plain compound packet; None when it is not authentic."""
        try:
            return bytes(self._rtcp_in.unprotect_rtcp(packet))
        except (Error, ValueError):
            return None

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        """The packet to send; None when the library refuses it (longer than 1,352 octets, a worn-out key)."""
        try:
            return bytes(self._rtcp_out.protect_rtcp(packet))
        except (Error, ValueError):
            return None


def _session(profile: int, key: bytes, direction: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile)
    policy.window_size = _REPLAY_WINDOW if direction == Policy.SSRC_ANY_INBOUND else _REPEAT_WINDOW
    # A packet that a listener asks for again is encrypted again, from the same text under the same index:
    # media/sequence.py and media/history.py see to that.
    policy.allow_repeat_tx = True
    return Session(policy)
