"""`python -m dev.site`: the site, in `site/`. A link that leads nowhere ends it, and so does a warning."""

from __future__ import annotations

import shutil
import subprocess
import sys

from dev.site.links import broken
from dev.site.source import lay_out, pages
from dev.tools import ROOT

SOURCE = ROOT / ".run" / "site"
SITE = ROOT / "site"


def main() -> None:
    wrong = [sentence for page in pages(ROOT) for sentence in broken(ROOT / page, ROOT)]
    if wrong:
        sys.exit("\n".join(wrong))
    lay_out(ROOT, SOURCE)
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
        cwd=SOURCE,
        check=False,
        capture_output=True,
        text=True,
    )
    if built.returncode != 0:
        sys.exit(built.stdout + built.stderr)
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.move(SOURCE / SITE.name, SITE)
    print(f"The site is in {SITE.relative_to(ROOT)}/: open {SITE / 'index.html'}")


if __name__ == "__main__":
    main()
