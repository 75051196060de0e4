"""The pages as the site's builder wants them: in a folder of their own, as they lie in the repository."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

from dev.site.links import Link, rewritten

CONFIG = Path(__file__).with_name("zensical.toml")
DECISIONS = Path("docs/adr/README.md")
# What the repository has for others than readers.
NO_PAGES = re.compile(r"web/vendor/|tests/|dev/")


def tracked(root: Path) -> list[Path]:
    """What belongs to the repository, also what is yet to be added, and is there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (root / (path := Path(name))).is_file()]


def pages(root: Path) -> list[Path]:
    """The Markdown that becomes pages of the site."""
    return [path for path in tracked(root) if path.suffix == ".md" and not NO_PAGES.match(str(path))]


def in_navigation() -> list[Path]:
    """The pages that a reader finds by the site's own menu, in its order."""

    def paths(entry: object) -> list[Path]:
        match entry:
            case str():
                return [Path(entry)]
            case dict():
                return [path for each in entry.values() for path in paths(each)]
            case list():
                return [path for each in entry for path in paths(each)]
        raise TypeError(entry)

    return paths(tomllib.loads(CONFIG.read_text("utf-8"))["project"]["nav"])


def lay_out(root: Path, folder: Path) -> None:
    """Makes `folder` anew: zensical.toml, and pages/ with all that is shown."""
    shutil.rmtree(folder, ignore_errors=True)
    shown = pages(root)
    assets = [path for path in tracked(root) if path.is_relative_to("docs") and path.suffix != ".md"]
    there = {(root / path).resolve() for path in [*shown, *assets]}
    for path in [*shown, *assets]:
        (folder / "pages" / path).parent.mkdir(parents=True, exist_ok=True)
        if path in assets:
            shutil.copy(root / path, folder / "pages" / path)
            continue
        text = (root / path).read_text("utf-8")
        if path == DECISIONS:
            text += "\n" + decisions(root)
        (folder / "pages" / path).write_text(_for_the_site(text, root / path, there), "utf-8")
    shutil.copy(CONFIG, folder)
    shutil.copy(CONFIG.with_name("extra.css"), folder / "pages")


def decisions(root: Path) -> str:
    """The list of them, which a code host shows as a folder."""
    found = sorted(path for path in (root / DECISIONS).parent.glob("*.md") if path.name != "README.md")
    titles = ((path.name, path.read_text("utf-8").partition("\n")[0].removeprefix("# ")) for path in found)
    return "".join(f"- [{title.replace('. ', ' · ', 1)}]({name})\n" for name, title in titles)


def _for_the_site(text: str, page: Path, there: set[Path]) -> str:
    """What is no page (a file of the source) is named, not linked; a folder's page is linked by its name."""

    def change(link: Link) -> str | None:
        file = link.file(page)
        if file not in there:
            return link.text
        if file.name == "README.md" and not link.path.endswith("README.md"):
            anchor = f"#{link.anchor}" if link.anchor else ""
            return f"[{link.text}]({link.path.rstrip('/')}/README.md{anchor})" if link.path else None
        return None

    return rewritten(text, change)
