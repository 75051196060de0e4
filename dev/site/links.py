"""What the Markdown pages of the repository point to, and whether it is there.

Links to other hosts are not asked: that wants a network, and tells of them and not of us.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Code is no link, whatever it looks like: it is found first.
CODE = r"^(?P<fence>```+|~~~+)[^\n]*\n.*?^(?P=fence)[^\n]*$|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"
LINK = r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)\)"
FOUND = re.compile(f"{CODE}|{LINK}", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """`path` is "" for a place on the same page; `anchor` is "" for the whole of it."""

    text: str
    path: str
    anchor: str
    is_image: bool

    @classmethod
    def read(cls, match: re.Match[str]) -> Link:
        path, _, anchor = match["target"].partition("#")
        return cls(match["text"], path, anchor, bool(match["image"]))

    def file(self, page: Path) -> Path:
        """What it leads to from `page`: a folder's is its README."""
        found = (page.parent / self.path).resolve() if self.path else page
        return found / "README.md" if (found / "README.md").is_file() else found


def _of(match: re.Match[str]) -> Link | None:
    """None: that is code, or a link to elsewhere."""
    return None if match["target"] is None or ELSEWHERE.match(match["target"]) else Link.read(match)


def links(markdown: str) -> Iterator[Link]:
    """Those to pages and files of ours."""
    return (link for match in FOUND.finditer(markdown) if (link := _of(match)) is not None)


def rewritten(markdown: str, change: Callable[[Link], str | None]) -> str:
    """With what `change` puts in the place of a link of ours; None leaves it."""

    def changed(match: re.Match[str]) -> str:
        link = _of(match)
        new = change(link) if link is not None else None
        return match[0] if new is None else new

    return FOUND.sub(changed, markdown)


@cache
def anchors(page: Path) -> frozenset[str]:
    """The places on a page that can be linked to, by the rule that code hosts have for headings."""
    text = FOUND.sub(lambda match: "" if match["fence"] else match[0], page.read_text("utf-8"))
    seen: Counter[str] = Counter()
    found = set()
    for heading in HEADING.findall(text):
        plain = FOUND.sub(lambda match: match["text"] or match[0], heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


def broken(page: Path, root: Path) -> list[str]:
    """A sentence for each link of `page` that leads nowhere."""
    found = []
    for link in links(page.read_text("utf-8")):
        file = link.file(page)
        name = f"{page.relative_to(root)}: {link.path}{link.anchor and '#'}{link.anchor}"
        if not file.exists():
            found.append(f"{name}: there is no such file")
        elif not file.is_relative_to(root):
            found.append(f"{name}: this is outside of the repository")
        elif link.anchor and file.suffix == ".md" and link.anchor not in anchors(file):
            found.append(f"{name}: there is no such heading")
    return found
