"""A User-Agent in a person's words: "Firefox on Linux". A guess, for a list that its owner reads."""

from __future__ import annotations

# The first that is found counts: Edge says Chrome too, Chrome says Safari, and iPads say Mac OS X.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
PROGRAM_MAX = 40
UNKNOWN = "Unknown device"


def device(user_agent: str) -> str:
    """At most some forty characters, none of which could be anything but text."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    if browser or system:
        return browser or system
    # A program names itself: curl/8.5.0.
    program = user_agent.partition(" ")[0].partition("/")[0]
    shown = "".join(character for character in program if character.isprintable())[:PROGRAM_MAX]
    return shown or UNKNOWN
