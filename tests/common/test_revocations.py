"""What a service keeps of what has ended: refused here, bounded, and kept while auth is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from common import rpc
from common.errors import Unauthenticated
from common.revocations import MARGIN_SECONDS, SETTLE_SECONDS, Ended, Revocations
from common.tokens import LEEWAY_SECONDS, LIFETIME_SECONDS, Identity, Verifier
from dev.ports import free_port
from proto import auth_pb2, auth_pb2_grpc
from tests.common.test_tokens import KEY, Keys, token

PATIENCE = 10.0


class Auth(auth_pb2_grpc.AuthServicer):
    """Tells `revocations` and says that this was all; then the stream stays open, or ends."""

    def __init__(self, *revocations: auth_pb2.Revocation, stays: bool = True) -> None:
        self.revocations = list(revocations)
        self.stays = stays
        self.asked: list[int] = []
        self.came = asyncio.Event()

    async def WatchRevocations(  # noqa: N802
        self, request: auth_pb2.WatchRevocationsRequest, context: rpc.Context
    ) -> AsyncIterator[auth_pb2.Revocation]:
        self.asked.append(request.after_id)
        for revocation in self.revocations:
            if revocation.id > request.after_id:
                yield revocation
        yield auth_pb2.Revocation(caught_up=True)
        if len(self.asked) > 1:
            self.came.set()
        if self.stays:
            await asyncio.Event().wait()


def telling(*revocations: auth_pb2.Revocation, stays: bool = True) -> Auth:
    made: Any = Auth  # the stubs want every method of a servicer
    auth: Auth = made(*revocations, stays=stays)
    return auth


@asynccontextmanager
async def served(auth: Auth, listen: str) -> AsyncIterator[None]:
    server = grpc.aio.server()
    auth_pb2_grpc.add_AuthServicer_to_server(auth, server)
    server.add_insecure_port(listen)
    await server.start()
    try:
        yield
    finally:
        await server.stop(0)


@asynccontextmanager
async def kept(
    address: str, heard: Callable[[Ended], None] = lambda _ended: None
) -> AsyncIterator[Revocations]:
    async with rpc.connect(address, "auth", "") as client:
        revocations = Revocations(client, heard=heard)
        running = asyncio.create_task(revocations.run())
        try:
            yield revocations
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def address() -> str:
    return f"127.0.0.1:{free_port()}"


def somebody(session: str = "s", user_id: int = 7, issued_at: float = 1000.0) -> Identity:
    return Identity(user_id, session, "Ann", issued_at + LIFETIME_SECONDS, "", issued_at)


def over(
    number: int, session: str = "", *, user_id: int = 0, deleted: bool = False, at: float = 1000.0
) -> Ended:
    return Ended(number, session, user_id, deleted, at)


async def test_a_verifier_refuses_a_session_that_has_ended(address: str) -> None:
    auth = telling(auth_pb2.Revocation(id=1, session_id="s", at=2**41))
    async with served(auth, address), kept(address) as revocations:
        verifier = Verifier(Keys(**{"1": KEY}).fetch, revocations)
        with pytest.raises(Unauthenticated) as refused:
            await verifier.verify(token())
        assert refused.value.code == "SESSION_ENDED"
        assert (await verifier.verify(token(sid="another"))).session_id == "another"


async def test_a_token_that_was_taken_before_is_refused_from_then_on() -> None:
    async with rpc.connect("127.0.0.1:1", "auth", "") as nobody:
        revocations = Revocations(nobody)
        verifier = Verifier(Keys(**{"1": KEY}).fetch, revocations)
        shown = token()
        identity = await verifier.verify(shown)
        revocations.add(over(1, "s", at=identity.issued_at))
        with pytest.raises(Unauthenticated):
            await verifier.verify(shown)


async def test_while_auth_is_away_what_is_known_holds_and_then_it_goes_on(address: str) -> None:
    auth = telling(auth_pb2.Revocation(id=4, session_id="s", at=2**41))
    told: asyncio.Queue[Ended] = asyncio.Queue()
    async with kept(address, told.put_nowait) as revocations:
        async with served(auth, address):
            assert (await asyncio.wait_for(told.get(), PATIENCE)).id == 4
            assert revocations.ended(somebody())
        assert revocations.ended(somebody())
        auth.revocations.append(auth_pb2.Revocation(id=5, session_id="another", at=2**41))
        async with served(auth, address):
            assert (await asyncio.wait_for(told.get(), PATIENCE)).id == 5
        assert revocations.ended(somebody("another"))
        assert auth.asked == [0, 4]


async def test_a_stream_that_ends_in_good_order_is_opened_again(address: str) -> None:
    auth = telling(stays=False)
    async with served(auth, address), kept(address):
        await asyncio.wait_for(auth.came.wait(), PATIENCE)


async def test_without_auth_a_service_that_starts_waits_a_second_once_and_serves() -> None:
    async with rpc.connect("127.0.0.1:1", "auth", "") as nobody:
        verifier = Verifier(Keys(**{"1": KEY}).fetch, Revocations(nobody))
        loop = asyncio.get_running_loop()
        started = loop.time()
        assert (await verifier.verify(token())).user_id == 7
        waited = loop.time()
        await verifier.verify(token())
        assert loop.time() - waited < SETTLE_SECONDS <= waited - started


async def test_each_is_kept_until_its_tokens_are_over_and_no_longer() -> None:
    now = 1000.0
    async with rpc.connect("127.0.0.1:1", "auth", "") as nobody:
        revocations = Revocations(nobody, clock=lambda: now)
        for number in range(1, 1001):
            revocations.add(over(number, f"s{number}"))
        revocations.add(over(1001, user_id=7))
        revocations.add(over(1002, user_id=8, deleted=True))
        assert len(revocations) == 1002
        now += LIFETIME_SECONDS + LEEWAY_SECONDS  # the last token of any of them
        assert revocations.ended(somebody("s1"))
        assert revocations.ended(somebody("fresh", 7, issued_at=999.0))
        now += MARGIN_SECONDS
        assert not revocations.ended(somebody("s1"))
        assert not revocations.ended(somebody("fresh", 7, issued_at=999.0))
        assert len(revocations) == 0


async def test_an_account_whose_sessions_ended_may_log_in_again_and_a_deleted_one_may_not() -> None:
    async with rpc.connect("127.0.0.1:1", "auth", "") as nobody:
        revocations = Revocations(nobody, clock=lambda: 1000.0)
        revocations.add(over(1, user_id=7))
        assert revocations.ended(somebody("old", 7, issued_at=999.0))
        assert not revocations.ended(somebody("new", 7, issued_at=1000.0))
        assert not revocations.ended(somebody("old", 8, issued_at=999.0))
        revocations.add(over(2, user_id=7, deleted=True))
        assert revocations.ended(somebody("new", 7, issued_at=2000.0))


async def test_who_listens_is_told_of_each_once() -> None:
    told: list[int] = []
    async with rpc.connect("127.0.0.1:1", "auth", "") as nobody:
        revocations = Revocations(nobody, heard=lambda ended: told.append(ended.id), clock=lambda: 1000.0)
        for number in (1, 2, 3):
            revocations.add(over(number, f"s{number}"))
    assert told == [1, 2, 3]
