"""The keys: made once, private to auth, and named by what they are."""

import json
import os
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from auth import keys
from auth.rotation import LiveRing
from common.config import ConfigError


def modes(folder: Path) -> dict[str, int]:
    return {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def kid_made_in(folder: Path) -> str:
    ring = keys.open_ring(folder)
    assert len(ring.keys) == 1
    return ring.keys[0].kid + ring.refresh_secret.hex()


def test_the_first_start_makes_what_is_missing_for_our_eyes_only(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "keys"
    before = os.umask(0)  # as lax as it gets
    try:
        ring = keys.open_ring(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes(folder) == {".pem": 0o600, ".secret": 0o600}
    assert ring.keys[0].private.key_size == 2048
    assert len(ring.refresh_secret) == 32


def test_the_next_start_finds_the_same(tmp_path: Path) -> None:
    assert kid_made_in(tmp_path) == kid_made_in(tmp_path)


def test_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as starts:
        assert len(set(starts.map(kid_made_in, [folder] * 4))) == 1


def test_a_key_is_named_by_its_rfc_7638_thumbprint() -> None:
    """The example of RFC 7638 section 3.1."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF"
        "V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9"
        "c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1"
        "jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    assert (
        keys.thumbprint({"kty": "RSA", "n": n, "e": "AQAB"}) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    )


def test_the_key_set_shows_public_halves_alone(ring: LiveRing) -> None:
    (key,) = json.loads(ring.jwks)["keys"]
    assert key.keys() == {"kty", "n", "e", "use", "alg", "kid"}
    assert (key["kty"], key["use"], key["alg"], key["e"]) == ("RSA", "sig", "RS256", "AQAB")


def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    keys.open_ring(tmp_path)
    (pem,) = tmp_path.glob("*.pem")
    pem.chmod(0o644)
    with pytest.raises(ConfigError, match=r"can be read or changed by others \(mode 644\): chmod 600 it"):
        keys.open_ring(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"not a key",
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        rsa.generate_private_key(65537, 1024).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    ],
    ids=["rubbish", "elliptic", "short"],
)
def test_a_file_that_is_no_key_of_ours_is_refused(tmp_path: Path, content: bytes) -> None:
    keys.open_ring(tmp_path)
    (pem,) = tmp_path.glob("*.pem")
    pem.write_bytes(content)
    with pytest.raises(ConfigError, match=r"no key of ours|not an RSA key of at least 2048 bits"):
        keys.open_ring(tmp_path)


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"AUTH_KEYS_DIR=.*file/keys cannot be used: Not a directory"):
        keys.open_ring(tmp_path / "file" / "keys")


def test_no_secret_in_any_repr(keys_dir: Path) -> None:
    ring = keys.open_ring(keys_dir)
    shown = repr(ring)
    assert ring.refresh_secret.hex() not in shown
    assert repr(ring.refresh_secret) not in shown
    assert "RSAPrivateKey" not in shown
