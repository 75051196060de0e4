"""A token that was verified is not verified again; what would refuse it now still does."""

import dataclasses
import time
from typing import Any

import pytest

from common import tokens
from common.errors import Unauthenticated
from common.tokens import Identity, Verifier
from tests.common.test_tokens import KEY, NEW_KEY, Keys, key_set, token


class Ended:
    """Sessions that have ended."""

    def __init__(self) -> None:
        self.sessions: set[str] = set()

    def ended(self, identity: Identity) -> bool:
        return identity.session_id in self.sessions

    async def settle(self) -> None:
        return


async def test_its_signature_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    real = tokens._identity

    def identity(*given: Any) -> Identity:
        looked.append(given)
        return real(*given)

    monkeypatch.setattr(tokens, "_identity", identity)
    verifier, one = Verifier(Keys(**{"1": KEY}).fetch), token()
    assert await verifier.verify(one) == await verifier.verify(one)
    assert len(looked) == 1


async def test_it_ends_when_it_says() -> None:
    verifier = Verifier(Keys(**{"1": KEY}).fetch)
    ends = int(time.time()) - tokens.LEEWAY_SECONDS - 1
    one, good = token(exp=ends), await verifier.verify(token())
    verifier._known[one] = dataclasses.replace(good, token=one, expires_at=ends)  # was verified in its time
    with pytest.raises(Unauthenticated) as refused:
        await verifier.verify(one)
    assert refused.value.code == "TOKEN_EXPIRED"


async def test_a_session_that_has_ended_is_refused_all_the_same() -> None:
    ended = Ended()
    verifier, one = Verifier(Keys(**{"1": KEY}).fetch, ended), token()
    await verifier.verify(one)
    ended.sessions.add("s")
    with pytest.raises(Unauthenticated) as refused:
        await verifier.verify(one)
    assert refused.value.code == "SESSION_ENDED"


async def test_a_key_that_is_gone_takes_its_tokens_along() -> None:
    keys = Keys(**{"1": KEY})
    verifier, one = Verifier(keys.fetch, refetch=0), token()
    await verifier.verify(one)
    keys.answer = key_set(**{"2": NEW_KEY})
    await verifier.verify(token(NEW_KEY, header={"kid": "2"}))
    with pytest.raises(Unauthenticated):
        await verifier.verify(one)


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "KNOWN_MAX", 3)
    verifier = Verifier(Keys(**{"1": KEY}).fetch)
    for number in range(10):
        await verifier.verify(token(jti=str(number)))
    assert len(verifier._known) == 3
