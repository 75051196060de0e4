"""The pages lead to where they say, and the site's menu to all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.site import links
from dev.site.links import Link, broken
from dev.site.source import in_navigation, lay_out, pages
from dev.tools import ROOT

PAGE = """# What it's for

[one](other.md#two-words) and `[code](nowhere.md)`, [elsewhere](https://example.org/x),
![picture](picture.png).

```
[also code](nowhere.md)
# no heading
```

## Two words
## Two words
## `code` и [ссылка](other.md)
[a folder](folder/), [itself](#two-words-1), [two
lines](folder/README.md)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "README.md").write_text("# Folder\n")
    (tmp_path / "other.md").write_text("# Two words\n")
    (tmp_path / "picture.png").write_bytes(b"")
    (tmp_path / "page.md").write_text(PAGE, "utf-8")
    return tmp_path


def test_no_link_of_any_page_leads_nowhere() -> None:
    assert Path("README.md") in pages(ROOT)
    assert [sentence for page in pages(ROOT) for sentence in broken(ROOT / page, ROOT)] == []


def test_every_page_is_in_the_menu_once() -> None:
    """But the decisions, which are listed on a page of theirs."""
    decisions = [page for page in pages(ROOT) if page.parent == Path("docs/adr") and page.name != "README.md"]
    assert sorted(in_navigation()) == sorted(set(pages(ROOT)) - set(decisions))


def test_code_is_no_link_and_neither_is_elsewhere() -> None:
    assert [(link.path, link.anchor, link.is_image) for link in links.links(PAGE)] == [
        ("other.md", "two-words", False),
        ("picture.png", "", True),
        ("other.md", "", False),
        ("folder/", "", False),
        ("", "two-words-1", False),
        ("folder/README.md", "", False),
    ]


def test_headings_have_the_anchors_of_code_hosts(root: Path) -> None:
    assert links.anchors(root / "page.md") == {"what-its-for", "two-words", "two-words-1", "code-и-ссылка"}


def test_what_leads_nowhere_is_named(root: Path) -> None:
    page = root / "page.md"
    assert broken(page, root) == []
    page.write_text("[a](gone.md) [b](other.md#gone) [c](#gone) [d](../../etc/hostname)", "utf-8")
    links.anchors.cache_clear()
    assert broken(page, root) == [
        "page.md: gone.md: there is no such file",
        "page.md: other.md#gone: there is no such heading",
        "page.md: #gone: there is no such heading",
        "page.md: ../../etc/hostname: there is no such file",
    ]


def test_on_the_site_the_source_is_named_and_the_pages_are_linked(tmp_path: Path) -> None:
    lay_out(ROOT, tmp_path / "site")
    shown = tmp_path / "site" / "pages"
    readme = (shown / "README.md").read_text("utf-8")
    assert "(docs/images/page/talk-desktop-light-en.webp)" in readme
    assert (shown / "docs/images/page/talk-desktop-light-en.webp").is_file()
    assert "(docs/adr/README.md)" in readme
    tutorial = (shown / "docs/client-tutorial.md").read_text("utf-8")
    assert "client/ does all of the above" in tutorial  # its folder is no page
    assert "(0104-the-client-is-a-folder.md)" in (shown / "docs/adr/README.md").read_text("utf-8")


def test_a_link_says_its_text_again(root: Path) -> None:
    def named(link: Link) -> str | None:
        return link.text if link.path == "other.md" else None

    assert (
        links.rewritten("`[x](other.md)` [y](other.md) [z](page.md)", named)
        == "`[x](other.md)` y [z](page.md)"
    )
