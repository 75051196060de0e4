"""The private names of aiortc and pylibsrtp that the worker stands on.

When one of these fails after an upgrade, media/transport.py or media/srtp.py has to be looked at.
"""

import inspect

import pylibsrtp
from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport, SRTPProtectionProfile
from pylibsrtp import Policy, Session, _binding

from media.transport import client_hello_fragment


class Ice:
    role = "controlled"


def test_the_names_of_rtcdtlstransport() -> None:
    transport = RTCDtlsTransport(Ice(), [RTCCertificate.generateCertificate()])  # type: ignore[arg-type]
    transport._set_role("server")
    assert transport._role == "server"
    assert transport._ssl is None
    assert transport._srtp_profiles is rtcdtlstransport.SRTP_PROFILES
    assert list(inspect.signature(transport.start).parameters) == ["remoteParameters"]


def test_it_reads_and_writes_by_two_private_methods_of_its_ice_transport() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    assert source.count("self.transport._recv()") == 2
    assert source.count("self.transport._send(data)") == 2


def test_a_profile_cuts_keys_out_of_the_exported_material() -> None:
    assert list(SRTPProtectionProfile.__dataclass_fields__) == [
        "libsrtp_profile",
        "openssl_profile",
        "key_length",
        "salt_length",
    ]
    material = bytes(range(2 * (16 + 12)))
    gcm = rtcdtlstransport.SRTP_AEAD_AES_128_GCM
    assert gcm in rtcdtlstransport.SRTP_PROFILES
    assert gcm.get_key_and_salt(material, 1) == material[16:32] + material[44:56]


def test_the_binding_of_pylibsrtp() -> None:
    signature = "srtp_err_status_t(*)(struct srtp_ctx_t_ *, void *, int *)"
    for function in (_binding.lib.srtp_protect, _binding.lib.srtp_unprotect):
        assert signature in str(_binding.ffi.typeof(function))
    policy = Policy(bytes(28), Policy.SSRC_ANY_OUTBOUND, 0, Policy.SRTP_PROFILE_AEAD_AES_128_GCM)
    assert "srtp_ctx_t_" in str(Session(policy)._srtp[0])
    assert issubclass(pylibsrtp.Error, Exception)


def test_a_clienthello_is_known_by_its_first_octets() -> None:
    record = bytes([22, 0xFE, 0xFD, 0, 0]) + bytes(6) + b"\0\x50"
    hello = record + bytes([1, 0, 1, 0]) + b"\0\x03" + b"\0\0\x80" + b"\0\0\x40" + bytes(64)
    assert client_hello_fragment(hello) == (3, 0x80)
    assert client_hello_fragment(hello[:20]) is None
    assert client_hello_fragment(bytes([23]) + hello[1:]) is None
    assert client_hello_fragment(hello[:13] + bytes([11]) + hello[14:]) is None
