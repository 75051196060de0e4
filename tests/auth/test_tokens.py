"""Access tokens over the wire: what auth signs holds everywhere, and what it did not sign holds nowhere."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.rotation import LiveRing
from common.errors import Unauthenticated
from common.tokens import Verifier
from proto import auth_pb2
from tests.auth.running import PASSWORD, Caller


@pytest.fixture
async def session(auth: Caller) -> auth_pb2.Session:
    return await auth.call(
        auth.stub.Register,
        auth_pb2.RegisterRequest(email="ann@example.org", display_name="Аня", password=PASSWORD),
    )


def claims_of(session: auth_pb2.Session) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(session.tokens.access_token, options={"verify_signature": False})
    return claims


def signed(ring: LiveRing, claims: dict[str, Any], **header: Any) -> str:
    """A token with auth's own key, as auth would never make it."""
    headers = {"typ": "at+jwt", "kid": ring.signing.kid, **header}
    return jwt.encode(claims, ring.signing.private, "RS256", headers=headers)


async def refused(auth: Caller, token: str) -> str:
    with pytest.raises(Unauthenticated) as error:
        await auth.call(auth.stub.Me, auth_pb2.MeRequest(), user_token=token)
    return error.value.code


async def test_the_claims(session: auth_pb2.Session, ring: LiveRing) -> None:
    claims = claims_of(session)
    assert claims == {
        "iss": "cwrkplanet",
        "aud": "cwrkplanet",
        "sub": str(session.user.id),
        "sid": claims["sid"],
        "jti": claims["jti"],
        "iat": claims["iat"],
        "nbf": claims["iat"],
        "exp": claims["iat"] + 15 * 60,
        "name": "Аня",
    }
    assert session.tokens.expires_in == 15 * 60
    assert jwt.get_unverified_header(session.tokens.access_token) == {
        "alg": "RS256",
        "typ": "at+jwt",
        "kid": ring.signing.kid,
    }


async def test_whoever_has_the_key_set_can_verify(auth: Caller, session: auth_pb2.Session) -> None:
    async def fetch() -> str:
        return (await auth.call(auth.stub.GetKeySet, auth_pb2.KeySetRequest())).jwks

    identity = await Verifier(fetch).verify(session.tokens.access_token)
    assert (identity.user_id, identity.display_name) == (session.user.id, "Аня")
    assert identity.session_id == claims_of(session)["sid"]


async def test_a_good_token_is_taken(auth: Caller, session: auth_pb2.Session, ring: LiveRing) -> None:
    """So the refusals below are for what they name, not for how the token was made."""
    token = signed(ring, claims_of(session))
    user = await auth.call(auth.stub.Me, auth_pb2.MeRequest(), user_token=token)
    assert user == session.user


async def test_no_algorithm_is_no_signature(auth: Caller, session: auth_pb2.Session, ring: LiveRing) -> None:
    headers = {"typ": "at+jwt", "kid": ring.signing.kid}
    assert await refused(auth, jwt.encode(claims_of(session), "", "none", headers=headers)) == "TOKEN_INVALID"


async def test_the_public_key_is_no_hmac_secret(
    auth: Caller, session: auth_pb2.Session, ring: LiveRing
) -> None:
    """RFC 8725 section 2.1. Made by hand, since PyJWT declines to."""
    public = ring.signing.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = {"alg": "HS256", "typ": "at+jwt", "kid": ring.signing.kid}
    parts = [json.dumps(part).encode() for part in (header, claims_of(session))]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mac = base64.urlsafe_b64encode(hmac.digest(public, text, hashlib.sha256)).rstrip(b"=")
    assert await refused(auth, (text + b"." + mac).decode()) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://attacker.example/jwks.json"},
        {"x5u": "https://attacker.example/cert.pem"},
        {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        {"typ": "JWT"},
        {"kid": "unknown"},
    ],
)
async def test_a_header_that_is_not_ours(
    auth: Caller, session: auth_pb2.Session, ring: LiveRing, header: dict[str, Any]
) -> None:
    assert await refused(auth, signed(ring, claims_of(session), **header)) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody"},
        {"aud": "something"},
        {"sub": "ann"},
        {"nbf": int(time.time()) + 3600},
    ],
)
async def test_a_claim_that_is_not_ours(
    auth: Caller, session: auth_pb2.Session, ring: LiveRing, claims: dict[str, Any]
) -> None:
    assert await refused(auth, signed(ring, claims_of(session) | claims)) == "TOKEN_INVALID"


async def test_an_expired_token_says_so(auth: Caller, session: auth_pb2.Session, ring: LiveRing) -> None:
    old = claims_of(session) | {"exp": int(time.time()) - 60}
    assert await refused(auth, signed(ring, old)) == "TOKEN_EXPIRED"


async def test_a_strangers_key_under_our_name(
    auth: Caller, session: auth_pb2.Session, ring: LiveRing
) -> None:
    stranger = rsa.generate_private_key(65537, 2048)
    headers = {"typ": "at+jwt", "kid": ring.signing.kid}
    assert (
        await refused(auth, jwt.encode(claims_of(session), stranger, "RS256", headers=headers))
        == "TOKEN_INVALID"
    )


async def test_a_session_nobody_opened(auth: Caller, session: auth_pb2.Session, ring: LiveRing) -> None:
    assert await refused(auth, signed(ring, claims_of(session) | {"sid": str(uuid4())})) == "SESSION_ENDED"
