"""`make e2e` wants a real Chromium and a real Firefox: which there are, or how to get them."""

import shutil
import sys

WANTED = {
    "Chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "Firefox": ("firefox-esr", "firefox"),
}
GET = "Debian: apt install chromium firefox-esr. macOS: brew install chromium firefox."


def main() -> int:
    missing = []
    for name, programs in WANTED.items():
        found = next(filter(None, map(shutil.which, programs)), None)
        print(f"  {name}: {found or 'not found'}")
        if not found:
            missing.append(name)
    if missing:
        print(f"The browser tests need {' and '.join(missing)}. {GET}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
