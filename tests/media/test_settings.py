"""The worker's settings: what they may be, and the sentence when they are not."""

import ipaddress

import pytest

from common.config import ConfigError, load
from media.config import Config, local_addresses


def test_without_any_setting() -> None:
    config = load(Config, {})
    assert (config.listen, config.hosts, config.advertise, config.port) == (
        "127.0.0.1:50053",
        (),
        (),
        24780,
    )


def test_addresses_are_lists() -> None:
    config = load(Config, {"MEDIA_HOST": "10.0.0.1, ::1", "MEDIA_ADVERTISE": "203.0.113.5"})
    assert config.hosts == ("10.0.0.1", "::1")
    assert config.advertise == ("203.0.113.5",)
    assert load(Config, {"MEDIA_HOST": "auto"}).hosts == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEDIA_HOST", "localhost"),
        ("MEDIA_HOST", "0.0.0.0"),
        ("MEDIA_ADVERTISE", "example.org"),
        ("MEDIA_PORT", "65536"),
        ("MEDIA_MAX_SLOTS", "0"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        load(Config, {name: value})


def test_loopback_is_the_last_of_the_machines_addresses() -> None:
    found = local_addresses()
    assert "127.0.0.1" in found
    loopback = [ipaddress.ip_address(host).is_loopback for host in found]
    assert loopback == sorted(loopback)
