"""The worker's settings: what they may be, and the sentence when they are not."""

import ipaddress

import pytest

from common.config import ConfigError, load
from media.advertised import Advertised
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
    config = load(Config, {"MEDIA_HOST": "10.0.0.1, ::1, [::2]"})
    assert config.hosts == ("10.0.0.1", "::1", "::2")
    assert load(Config, {"MEDIA_HOST": "auto"}).hosts == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEDIA_HOST", "localhost"),
        ("MEDIA_HOST", "0.0.0.0"),
        ("MEDIA_HOST", "[::]"),
        ("MEDIA_ADVERTISE", "0.0.0.0"),
        ("MEDIA_ADVERTISE", "::"),
        ("MEDIA_ADVERTISE", "203.0.113"),
        ("MEDIA_ADVERTISE", "203.0.113.5:0"),
        ("MEDIA_ADVERTISE", "203.0.113.5:"),
        ("MEDIA_ADVERTISE", "[2001:db8::1"),
        ("MEDIA_ADVERTISE", "[2001:db8::1]24780"),
        ("MEDIA_ADVERTISE", "http://example.org"),
        ("MEDIA_ADVERTISE", "an example"),
        ("MEDIA_PORT", "65536"),
        ("MEDIA_MAX_SLOTS", "0"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        load(Config, {name: value})


def test_what_clients_are_told_may_be_addresses_and_names_each_with_a_port() -> None:
    raw = (
        "203.0.113.5, 203.0.113.5:3478,2001:db8::1, [2001:db8::1]:3478, [::1], voice.example.org:3478, media"
    )
    assert load(Config, {"MEDIA_ADVERTISE": raw}).advertise == (
        Advertised("203.0.113.5"),
        Advertised("203.0.113.5", 3478),
        Advertised("2001:db8::1"),
        Advertised("2001:db8::1", 3478),
        Advertised("::1"),
        Advertised("voice.example.org", 3478),
        Advertised("media"),
    )


def test_loopback_is_the_last_of_the_machines_addresses() -> None:
    found = [ipaddress.ip_address(host) for host in local_addresses()]
    assert ipaddress.ip_address("127.0.0.1") in found
    order = [(host.is_loopback, host.version) for host in found]
    assert order == sorted(order)
    assert not any(host.is_link_local for host in found)
