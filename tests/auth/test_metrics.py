"""auth's figures: how logins end, what passwords cost, what became of letters, who waits for the database."""

from pathlib import Path

import pytest

from auth.mail import server
from common.errors import Unauthenticated
from dev.ports import free_port
from proto import auth_pb2
from tests import figures
from tests.auth.running import PASSWORD, running_auth
from tests.auth.smtp import smtp_server


async def test_logins_by_outcome_passwords_and_letters(auth_database: str, keys_dir: Path) -> None:
    listen = f"127.0.0.1:{free_port()}"
    async with smtp_server() as post:
        settings = {"mail": server(f"smtp://127.0.0.1:{post.port}"), "mail_from": "study@example.org"}
        async with (
            running_auth(auth_database, keys_dir, metrics_listen=listen, **settings) as auth,
            figures.page(listen) as page,
        ):
            someone = auth_pb2.RegisterRequest(email="ann@example.org", display_name="Ann", password=PASSWORD)
            await auth.call(auth.stub.Register, someone)
            for password in (PASSWORD, "not it", "nor this"):
                login = auth_pb2.LoginRequest(email="ann@example.org", password=password)
                if password == PASSWORD:
                    await auth.call(auth.stub.Login, login)
                else:
                    with pytest.raises(Unauthenticated):
                        await auth.call(auth.stub.Login, login)
            found = await page.until(lambda found: found("cwrk_auth_letters_total", outcome="sent") == 1)
            assert found("cwrk_grpc_calls_total", method="Login", code="OK") == 1
            assert found("cwrk_grpc_calls_total", method="Login", code="INVALID_CREDENTIALS") == 2
            assert found("cwrk_grpc_seconds_count", method="Login") == 3
            assert found("cwrk_auth_password_seconds_count") == 4
            assert found("cwrk_auth_passwords_waiting") == 0
            assert found("cwrk_auth_passwords_max") > 0
            assert found("cwrk_database_connections", pool="accounts") > 0
            assert found("cwrk_database_connections_max", pool="accounts") == 10
            assert found("cwrk_database_waiting", pool="accounts") == 0
