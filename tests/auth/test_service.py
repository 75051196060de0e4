"""The running service: what it answers over gRPC, starts with, and refuses to start with."""

from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from auth.config import Config
from auth.serve import serve
from common import rpc
from common.config import ConfigError, load
from common.errors import Conflict, Internal, InvalidFields, Unauthenticated
from proto import auth_pb2
from tests.auth import running
from tests.auth.running import PASSWORD, Caller, running_auth

REGISTER = auth_pb2.RegisterRequest(
    email="ann@example.org",
    display_name="Ann",
    password=PASSWORD,
    origin=auth_pb2.Origin(address="203.0.113.7", user_agent="zero \0 and " + "x" * 1000),
)


async def test_register_log_in_refresh_me_log_out(auth: Caller) -> None:
    registered = await auth.call(auth.stub.Register, REGISTER)
    logged_in = await auth.call(
        auth.stub.Login, auth_pb2.LoginRequest(email="ann@example.org", password=PASSWORD)
    )
    assert logged_in.user == registered.user
    tokens = await auth.call(
        auth.stub.Refresh, auth_pb2.RefreshRequest(refresh_token=logged_in.tokens.refresh_token)
    )
    me = await auth.call(auth.stub.Me, auth_pb2.MeRequest(), user_token=tokens.access_token)
    assert me == registered.user
    await auth.call(auth.stub.Logout, auth_pb2.LogoutRequest(), user_token=tokens.access_token)
    with pytest.raises(Unauthenticated) as refused:
        await auth.call(auth.stub.Me, auth_pb2.MeRequest(), user_token=tokens.access_token)
    assert refused.value.code == "SESSION_ENDED"


async def test_errors_arrive_as_they_were_raised(auth: Caller) -> None:
    await auth.call(auth.stub.Register, REGISTER)
    with pytest.raises(Conflict) as taken:
        await auth.call(auth.stub.Register, REGISTER)
    assert taken.value.code == "EMAIL_TAKEN"
    with pytest.raises(InvalidFields) as wrong:
        await auth.call(auth.stub.Register, auth_pb2.RegisterRequest())
    assert [error.field for error in wrong.value.errors] == ["email", "displayName", "password"]
    with pytest.raises(Unauthenticated) as nobody:
        await auth.call(auth.stub.Me, auth_pb2.MeRequest())
    assert nobody.value.code == "TOKEN_MISSING"


async def test_it_says_that_it_serves(auth: Caller) -> None:
    async with rpc.connect(auth.address, "auth", "") as client:
        answer = await client.call(
            health_pb2_grpc.HealthStub(client.channel).Check,
            health_pb2.HealthCheckRequest(service="cwrk.auth.v1.Auth"),
        )
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_restart_keeps_accounts_sessions_and_keys(auth_database: str, keys_dir: Path) -> None:
    async with running_auth(auth_database, keys_dir) as before:
        session = await before.call(before.stub.Register, REGISTER)
    async with running_auth(auth_database, keys_dir) as after:
        me = await after.call(after.stub.Me, auth_pb2.MeRequest(), user_token=session.tokens.access_token)
        assert me == session.user
        assert await after.call(
            after.stub.Refresh, auth_pb2.RefreshRequest(refresh_token=session.tokens.refresh_token)
        )


async def test_two_replicas_are_one_auth(auth_database: str, keys_dir: Path) -> None:
    async with running_auth(auth_database, keys_dir) as one, running_auth(auth_database, keys_dir) as other:
        session = await one.call(one.stub.Register, REGISTER)
        request = auth_pb2.RefreshRequest(refresh_token=session.tokens.refresh_token)
        pairs = [await one.call(one.stub.Refresh, request), await other.call(other.stub.Refresh, request)]
        assert pairs[0].refresh_token == pairs[1].refresh_token
        assert await other.call(other.stub.Me, auth_pb2.MeRequest(), user_token=pairs[0].access_token)


async def test_a_service_without_the_secret_gets_nothing(auth_database: str, keys_dir: Path) -> None:
    async with running_auth(auth_database, keys_dir, service_token="shared") as stranger:
        with pytest.raises(Internal) as refused:
            await stranger.call(stranger.stub.GetKeySet, auth_pb2.KeySetRequest())
        assert refused.value.code == "SERVICE_TOKEN_INVALID"
        async with rpc.connect(stranger.address, "auth", "shared") as friend:
            assert await friend.call(
                stranger.stub.__class__(friend.channel).GetKeySet, auth_pb2.KeySetRequest()
            )


async def test_beyond_loopback_it_wants_a_service_token(auth_database: str, keys_dir: Path) -> None:
    with pytest.raises(ConfigError, match=r"AUTH_LISTEN=0\.0\.0\.0:0 listens beyond this machine"):
        async with serve(running.config(auth_database, keys_dir, listen="0.0.0.0:0")):
            pytest.fail("it started")


def test_settings_are_read_and_checked() -> None:
    url = "postgresql://ann:secret@127.0.0.1/cwrk"
    config = load(Config, {"DATABASE_URL": url})
    assert (config.listen, config.keys_dir, config.bcrypt_cost) == ("127.0.0.1:50051", ".run/keys", 12)
    assert "secret" not in repr(config)
    with pytest.raises(ConfigError, match="DATABASE_URL is not set"):
        load(Config, {})
    with pytest.raises(ConfigError, match="BCRYPT_COST must be 4 to 16"):
        load(Config, {"DATABASE_URL": url, "BCRYPT_COST": "31"})
