"""A DATABASE_URL or REDIS_URL that cannot work is told before anything starts, without the password."""

import pytest

from dev import ports
from dev.checks import database_works, redis_answers
from dev.place import StackError
from dev.postgres import Postgres
from dev.valkey import Valkey


def test_one_that_works_passes(postgres_url: str) -> None:
    database_works(postgres_url)


def test_nobody_there() -> None:
    port = ports.free_port()
    with pytest.raises(StackError, match="no PostgreSQL answers there") as error:
        database_works(f"postgresql://me:hush@127.0.0.1:{port}/rooms")
    assert f"(It points to 127.0.0.1:{port}/rooms.)" in str(error.value)
    assert "hush" not in str(error.value)


def test_a_wrong_password(postgres_server: Postgres) -> None:
    url = postgres_server.url().replace(postgres_server.password, "hush")
    with pytest.raises(StackError, match="refuses this user or password") as error:
        database_works(url)
    assert "hush" not in str(error.value)


def test_no_such_database(postgres_server: Postgres) -> None:
    with pytest.raises(StackError, match="names a database that does not exist; create it first") as error:
        database_works(postgres_server.url("nowhere"))
    assert postgres_server.password not in str(error.value)


@pytest.mark.parametrize(
    "url", ["rooms", "mysql://me:hush@127.0.0.1/rooms", "postgresql://me:hush@127.0.0.1:port/"]
)
def test_not_even_a_url(url: str) -> None:
    with pytest.raises(StackError, match="DATABASE_URL") as error:
        database_works(url)
    assert "hush" not in str(error.value)


def test_redis_may_be_down() -> None:
    assert redis_answers(f"redis://127.0.0.1:{ports.free_port()}/0") is False


def test_a_wrong_redis_password(valkey_server: Valkey) -> None:
    with pytest.raises(StackError, match="refuses this user or password") as error:
        redis_answers(valkey_server.url.replace(valkey_server.password, "hush"))
    assert "hush" not in str(error.value)
