"""A misspelt setting is told with the name that was meant; what is somebody else's is not."""

from pathlib import Path

import pytest

from dev.misspelt import known, misspelt

SETTINGS = known(Path(__file__).parents[2] / ".env.example")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("GATEWAY_PROT", "GATEWAY_PORT"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("MEDIA_ADVERTIZE", "MEDIA_ADVERTISE"),
        ("REGISTATION", "REGISTRATION"),
        ("LAN_PROT", "LAN_PORT"),
        ("COTURN_SECRETS", "COTURN_SECRET"),
    ],
)
def test_a_misspelt_one_is_told(given: str, meant: str) -> None:
    (said,) = misspelt([given, meant], SETTINGS)
    assert given in said
    assert f"Is it {meant} " in said


def test_settings_and_what_is_not_ours_are_no_matter() -> None:
    others = {"PATH", "HOME", "LANG", "TERM", "MAIL", "PYTHONPATH", "LC_ALL", "AUTH_TOKEN", "DATABASE_HOST"}
    others |= {"COMPOSE_FILE", "POSTGRES_USER", "VIRTUAL_ENV", "SSH_AUTH_SOCK", "LOG_FILE", "REDIS_HOST"}
    others |= {
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_TRACES_SAMPLER",
        "MAIL_HOST",
    }
    assert list(misspelt(others | SETTINGS, SETTINGS)) == []


def test_all_that_is_read_is_known() -> None:
    assert {"DOMAIN", "LAN", "GATEWAY_PORT", "MEDIA_PORTS", "DOCTOR_CERTIFICATE"} <= SETTINGS
