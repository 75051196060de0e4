"""Settings: read once, checked at the start, and explained when they are wrong."""

from dataclasses import dataclass

import pytest

from common.config import ConfigError, address, choice, integer, load, port, setting, words


@dataclass(frozen=True)
class Config:
    database_url: str = setting("DATABASE_URL", "PostgreSQL, as a URL.", secret=True)
    listen: str = setting("LISTEN", "Where to listen.", "127.0.0.1:1", parse=address)
    port: int = setting("PORT", "A port.", 8080, parse=port)
    origins: tuple[str, ...] = setting("ORIGINS", "Who may connect.", (), parse=words)
    format: str = setting("FORMAT", "How logs look.", "console", parse=choice("console", "json"))
    cost: int = setting("COST", "How hard.", 4, parse=integer(4, 16), secret=True)


def test_what_is_not_set_has_its_default_and_an_empty_variable_is_not_set() -> None:
    config = load(Config, {"DATABASE_URL": "postgresql://x", "PORT": "", "ORIGINS": "http://a, http://b,"})
    assert (config.port, config.listen) == (8080, "127.0.0.1:1")
    assert config.origins == ("http://a", "http://b")


def test_a_missing_variable_is_named_and_explained() -> None:
    with pytest.raises(ConfigError, match=r"^DATABASE_URL is not set\. PostgreSQL, as a URL\.$"):
        load(Config, {})


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PORT", "80a", r"PORT must be a whole number \(it is '80a'\)\. A port\."),
        ("PORT", "65536", "PORT must be 0 to 65535"),
        ("LISTEN", "localhost", "LISTEN must be host:port"),
        ("LISTEN", ":80", "LISTEN must be host:port"),
        ("LISTEN", "localhost:x", "LISTEN must be a whole number"),
        ("FORMAT", "xml", "FORMAT must be one of console, json"),
        ("DATABASE_URL", "  ", "DATABASE_URL must not be empty"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        load(Config, {"DATABASE_URL": "postgresql://x", variable: value})


def test_a_secret_is_neither_in_repr_nor_in_an_error() -> None:
    config = load(Config, {"DATABASE_URL": "postgresql://u:hunter2@h/d"})
    assert "hunter2" not in repr(config)
    with pytest.raises(ConfigError) as caught:
        load(Config, {"DATABASE_URL": "postgresql://x", "COST": "hunter2"})
    assert "hunter2" not in str(caught.value)
