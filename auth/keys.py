"""The secrets of auth, in one folder: RSA keys that sign access tokens, and the key of refresh tokens.

    signing-20261122T140501Z-4fH0mTqk.pem   one RS256 key each, PKCS 8, named by when it was made
    refresh.secret                          32 random bytes, in hex

All 0600 in a 0700 folder. What is missing is made at the start: two services
starting at once take turns by a lock on the folder, and a file appears under
its name only when it is complete. auth/rotation.py says which one signs.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from common import log
from common.config import ConfigError
from common.tokens import ALGORITHM

KEY_BITS = 2048
REFRESH_SECRET = "refresh.secret"  # noqa: S105  # a file's name
REFRESH_SECRET_BYTES = 32
MADE_AT = "%Y%m%dT%H%M%S.%fZ"

logger = log.get("auth.keys")


@dataclass(frozen=True)
class SigningKey:
    """One RSA key pair. `kid` is its RFC 7638 thumbprint, so it names the key and nothing else can."""

    private: rsa.RSAPrivateKey = field(repr=False)
    made_at: datetime

    @cached_property
    def kid(self) -> str:
        return thumbprint(self._members)

    def jwk(self) -> dict[str, str]:
        """The public half (RFC 7517)."""
        return {**self._members, "use": "sig", "alg": ALGORITHM, "kid": self.kid}

    @cached_property
    def _members(self) -> dict[str, str]:
        numbers = self.private.public_key().public_numbers()
        return {"e": _integer(numbers.e), "kty": "RSA", "n": _integer(numbers.n)}


@dataclass(frozen=True)
class KeyRing:
    """Every key there is, oldest first, and never none."""

    keys: tuple[SigningKey, ...]
    refresh_secret: bytes = field(repr=False)


def jwks(keys: tuple[SigningKey, ...]) -> str:
    """The public halves, newest first, as a JSON Web Key Set."""
    return json.dumps({"keys": [key.jwk() for key in reversed(keys)]})


def open_ring(folder: Path) -> KeyRing:
    """Read the folder, making first what is missing. Blocks: making a key takes some 0.1 s.

    Raises ConfigError when the folder cannot be used, or others may read a secret in it.
    """
    try:
        if not _complete(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(folder):
                _make_missing(folder)
        keys = tuple(sorted((_read_key(path) for path in _key_files(folder)), key=lambda key: key.made_at))
        secret = bytes.fromhex(_read_private(folder / REFRESH_SECRET).decode())
    except OSError as error:
        raise ConfigError(f"AUTH_KEYS_DIR={folder} cannot be used: {error.strerror}.") from None
    except ValueError:
        raise ConfigError(
            f"AUTH_KEYS_DIR={folder} holds a file that is no key of ours; restore it from a backup, "
            "or remove it (everybody logs in again)."
        ) from None
    if len(secret) < REFRESH_SECRET_BYTES:
        raise ConfigError(f"{folder / REFRESH_SECRET} is too short; remove it (everybody logs in again).")
    return KeyRing(keys, secret)


def thumbprint(members: dict[str, str]) -> str:
    """RFC 7638: the digest of a JWK's required members, in the one order and spelling."""
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def add_signing_key(folder: Path, now: datetime) -> SigningKey:
    """Make a key."""
    key = SigningKey(rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS), now)
    pem = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(folder / f"signing-{now.astimezone(UTC):{MADE_AT}}-{key.kid[:8]}.pem", pem)
    logger.info("made a signing key", kid=key.kid)
    return key


def names(folder: Path) -> list[str]:
    """The names of the key files, oldest first: another list is other keys. Raises OSError."""
    return sorted(path.name for path in folder.iterdir() if path.match("signing-*.pem"))


def remove(folder: Path, *, kept: tuple[SigningKey, ...]) -> None:
    """Remove the files of all keys but those. Raises ConfigError as `open_ring` does."""
    kids = {key.kid for key in kept}
    for path in _key_files(folder):
        if _read_key(path).kid not in kids:
            path.unlink(missing_ok=True)
            logger.info("removed a signing key", file=path.name)


def _complete(folder: Path) -> bool:
    # Before the lock: a folder mounted read-only has all that is needed, and no lock to take.
    return bool(_key_files(folder)) and (folder / REFRESH_SECRET).exists()


def _make_missing(folder: Path) -> None:
    if not _key_files(folder):
        add_signing_key(folder, datetime.now(UTC))
    if not (folder / REFRESH_SECRET).exists():
        _write(folder / REFRESH_SECRET, secrets.token_hex(REFRESH_SECRET_BYTES).encode())


def _key_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("signing-*.pem"))


def _read_key(path: Path) -> SigningKey:
    private = serialization.load_pem_private_key(_read_private(path), password=None)
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < KEY_BITS:
        raise ConfigError(f"{path} is not an RSA key of at least {KEY_BITS} bits.")
    # A file that somebody brought under another name has been there for ever.
    named = re.match(r"signing-(\d{8}T\d{6}\.\d{6}Z)-", path.name)
    made_at = datetime.strptime(named[1], MADE_AT) if named else datetime.min  # noqa: DTZ007, DTZ901  # below
    return SigningKey(private, made_at.replace(tzinfo=UTC))


def _read_private(path: Path) -> bytes:
    mode = path.stat().st_mode
    # The group may read: that is how a mounted secret reaches a service that is not root.
    if mode & 0o027:
        raise ConfigError(f"{path} can be read or changed by others (mode {mode & 0o777:o}): chmod 600 it.")
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    """A complete 0600 file or none at all, also after a power cut."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _integer(number: int) -> str:
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
