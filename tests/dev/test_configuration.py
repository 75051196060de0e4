"""docs/configuration.md says what the config classes say."""

from dev.configuration import FILE, text


def test_the_document_is_not_stale() -> None:
    assert FILE.read_text() == text(), "make configuration"
