"""What the letters say, in English and Russian: plain text, short, one link. Pure."""

from __future__ import annotations

from urllib.parse import quote

from auth.mail import Letter


def verification(to: str, public_url: str, token: str) -> Letter:
    """Asks whether the address is its owner's."""
    return Letter(
        "verify",
        to,
        "cwrkPlanet: confirm your e-mail · подтвердите почту",
        _TEXT.format(
            link=page_link(public_url, "verify", token),
            english="To confirm that this address is yours, open",
            russian="Чтобы подтвердить, что это ваш адрес, откройте",
        ),
    )


def reset(to: str, public_url: str, token: str) -> Letter:
    """Lets its reader choose a new password."""
    return Letter(
        "reset",
        to,
        "cwrkPlanet: choose a new password · новый пароль",
        _TEXT.format(
            link=page_link(public_url, "reset", token),
            english="To choose a new password, open",
            russian="Чтобы выбрать новый пароль, откройте",
        ),
    )


def page_link(public_url: str, page: str, token: str) -> str:
    """The page's address with a token, which comes after the # ."""
    # Browsers send what is after the # to no server, so the token comes into no access log and no Referer.
    return f"{public_url.rstrip('/')}/{page}#token={quote(token)}"


_TEXT = """\
{english}:
{russian}:

    {link}

The link works once, for one hour. If you did not ask for it, do nothing.
Ссылка действует один раз, в течение часа. Если вы её не просили, ничего делать не нужно.
"""
