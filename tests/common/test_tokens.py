"""Access tokens: what a verifier takes, and everything it does not."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from common.errors import Unauthenticated, Unavailable
from common.tokens import AUDIENCE, ISSUER, Verifier

KEY = rsa.generate_private_key(65537, 2048)
STRANGERS_KEY = rsa.generate_private_key(65537, 2048)
NEW_KEY = rsa.generate_private_key(65537, 2048)


def key_set(**keys: rsa.RSAPrivateKey) -> str:
    algorithm = jwt.algorithms.RSAAlgorithm
    return json.dumps(
        {"keys": [algorithm.to_jwk(k.public_key(), as_dict=True) | {"kid": kid} for kid, k in keys.items()]}
    )


def token(
    key: Any = KEY,
    *,
    alg: str = "RS256",
    header: dict[str, Any] | None = None,
    without: str = "",
    **claims: Any,
) -> str:
    now = int(time.time())
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "7",
        "sid": "s",
        "jti": "j",
        "iat": now,
        "nbf": now,
        "exp": now + 900,
        "name": "Аня",
    } | claims
    payload.pop(without, None)
    headers = {"kid": "1", "typ": "at+jwt"} | (header or {})
    return jwt.encode(
        payload, key, algorithm=alg, headers={k: v for k, v in headers.items() if v is not None}
    )


class Keys:
    """A key set that can change, fail, and counts how often it was asked for."""

    def __init__(self, **keys: rsa.RSAPrivateKey) -> None:
        self.answer: str | Exception = key_set(**keys)
        self.fetched = 0

    async def fetch(self) -> str:
        self.fetched += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_a_good_token_says_who_it_speaks_for() -> None:
    keys = Keys(**{"1": KEY})
    verifier = Verifier(keys.fetch)
    identity = await verifier.verify(token())
    await verifier.verify(token())
    assert (identity.user_id, identity.session_id, identity.display_name) == (7, "s", "Аня")
    assert keys.fetched == 1
    assert identity.token not in repr(identity)


PUBLIC_PEM = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def signed_with_the_public_key() -> str:
    """HS256 with the public key as the secret: what an algorithm-confused verifier would take."""
    body = token().split(".")[1]
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"1","typ":"at+jwt"}').rstrip(b"=").decode()
    mac = hmac.digest(PUBLIC_PEM, f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a.b.c",
        "x" * 10_000,
        "\udcff\udcfe",  # bytes of a header that are not UTF-8
        token(STRANGERS_KEY),
        token(None, alg="none"),
        signed_with_the_public_key(),
        token(alg="RS512"),
        token(header={"jku": "https://evil.example/keys"}),
        token(header={"x5u": "https://evil.example/cert"}),
        token(header={"jwk": {"kty": "RSA"}}),
        token(header={"x5c": ["MIIB"]}),
        token(header={"typ": "JWT"}),
        token(header={"kid": None}),
        token(header={"kid": "unknown"}),
        token(iss="other"),
        token(aud="other"),
        token(sub="not a number"),
        token(nbf=int(time.time()) + 3600),
        *(token(without=claim) for claim in ("iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp")),
    ],
)
async def test_a_token_that_does_not_hold_is_refused_without_a_reason(bad: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await Verifier(Keys(**{"1": KEY}).fetch).verify(bad)
    assert caught.value.code == "TOKEN_INVALID"


async def test_an_expired_token_says_so() -> None:
    with pytest.raises(Unauthenticated) as caught:
        await Verifier(Keys(**{"1": KEY}).fetch).verify(token(exp=int(time.time()) - 60))
    assert caught.value.code == "TOKEN_EXPIRED"


async def test_an_unknown_key_is_looked_for_at_most_once_in_30_seconds() -> None:
    now = 0.0
    keys = Keys(**{"1": KEY})
    verifier = Verifier(keys.fetch, clock=lambda: now)
    await verifier.verify(token())
    rotated = token(NEW_KEY, header={"kid": "2"})
    keys.answer = key_set(**{"1": KEY, "2": NEW_KEY})
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await verifier.verify(rotated)
    assert keys.fetched == 1
    now = 31.0
    assert (await verifier.verify(rotated)).user_id == 7
    assert keys.fetched == 2


async def test_the_last_good_keys_stay_while_auth_is_away() -> None:
    now = 0.0
    keys = Keys(**{"1": KEY})
    verifier = Verifier(keys.fetch, clock=lambda: now)
    await verifier.verify(token())
    keys.answer = Unavailable("down")
    now = 31.0
    with pytest.raises(Unauthenticated):
        await verifier.verify(token(header={"kid": "2"}))
    assert (await verifier.verify(token())).user_id == 7


async def test_without_any_keys_the_answer_is_try_again_and_the_next_token_asks_again() -> None:
    keys = Keys()
    keys.answer = Unavailable("down")
    verifier = Verifier(keys.fetch)
    with pytest.raises(Unavailable):
        await verifier.verify(token())
    keys.answer = key_set(**{"1": KEY})
    assert (await verifier.verify(token())).user_id == 7


async def test_a_fetch_that_failed_may_be_tried_again_after_a_second() -> None:
    """Else a key that auth has begun to sign with would be refused for half a minute."""
    now = 0.0
    keys = Keys(**{"1": KEY})
    verifier = Verifier(keys.fetch, clock=lambda: now)
    await verifier.verify(token())
    keys.answer = Unavailable("down")
    now = 31.0
    rotated = token(NEW_KEY, header={"kid": "2"})
    with pytest.raises(Unauthenticated):
        await verifier.verify(rotated)
    keys.answer = key_set(**{"1": KEY, "2": NEW_KEY})
    now = 32.0
    assert (await verifier.verify(rotated)).user_id == 7


async def test_keys_are_renewed_in_the_background_so_that_a_retired_one_is_forgotten() -> None:
    now = 0.0
    keys = Keys(**{"1": KEY, "2": NEW_KEY})
    fetched = asyncio.Event()

    async def fetch() -> str:
        fetched.set()
        return await keys.fetch()

    verifier = Verifier(fetch, clock=lambda: now)
    await verifier.verify(token())
    keys.answer = key_set(**{"2": NEW_KEY})
    fetched.clear()
    now = 299.0
    await verifier.verify(token())
    assert keys.fetched == 1
    now = 300.0
    assert (await verifier.verify(token())).user_id == 7  # nobody waits for it
    await asyncio.wait_for(fetched.wait(), 5)
    await asyncio.sleep(0)  # what was fetched is taken over
    with pytest.raises(Unauthenticated):
        await verifier.verify(token())


async def test_a_renewal_that_fails_leaves_the_last_good_keys() -> None:
    now = 0.0
    keys = Keys(**{"1": KEY})
    verifier = Verifier(keys.fetch, clock=lambda: now)
    await verifier.verify(token())
    keys.answer = Unavailable("down")
    for now in (300.0, 330.0, 1000.0):  # noqa: B007  # the clock reads it
        assert (await verifier.verify(token())).user_id == 7
        await asyncio.sleep(0)
    assert (await verifier.verify(token())).user_id == 7
