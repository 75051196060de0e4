"""auth as the tests run it: the real service over a real database, with quick hashes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from auth.config import Config
from auth.serve import serve
from common import rpc
from proto import auth_pb2_grpc

# The least bcrypt knows: some 1 ms.
COST = 4
PASSWORD = "correct horse"


def config(database_url: str, keys_dir: Path, **settings: object) -> Config:
    return Config(
        **{  # type: ignore[arg-type]  # the test that overrides a setting knows its type
            "database_url": database_url,
            "keys_dir": str(keys_dir),
            "listen": "127.0.0.1:0",
            "bcrypt_cost": COST,
            **settings,
        }
    )


class Caller:
    """A client of one running auth: `await auth.call(auth.stub.Login, request)`."""

    def __init__(self, client: rpc.Client, address: str) -> None:
        self.call = client.call
        self.stub = auth_pb2_grpc.AuthStub(client.channel)
        self.address = address


@asynccontextmanager
async def running_auth(database_url: str, keys_dir: Path, **settings: object) -> AsyncIterator[Caller]:
    async with serve(config(database_url, keys_dir, **settings)) as server:
        address = f"127.0.0.1:{server.port}"
        async with rpc.connect(address, "auth", "") as client:
            yield Caller(client, address)
