"""The heap in huge pages, where the system has some to give.

To send one packet to one listener, libsrtp and the loop touch some thirty places of the heap, none of which
was in use in the last 20 ms. With fewer pages to look up for them the packet is cheaper, most where one
speaks to many (docs/adr/0114-the-workers-heap-is-in-huge-pages.md). glibc can do that from 2.35 on, but has
to be told before the program starts.
"""

from __future__ import annotations

import os
import sys
from typing import Final

_TUNABLES: Final = "GLIBC_TUNABLES"
_TUNABLE: Final = "glibc.malloc.hugetlb"
#: Of ordinary memory (madvise), not the reserved ones of hugetlbfs.
_ADVISE: Final = "1"


def restart_in_huge_pages() -> None:
    """Becomes the same program with that setting, in the same process; nothing where there is one already,
    whatever it says. Another C library does not read it."""
    tunables = os.environ.get(_TUNABLES, "")
    if sys.platform != "linux" or _TUNABLE in tunables:
        return
    os.environ[_TUNABLES] = ":".join(filter(None, (tunables, f"{_TUNABLE}={_ADVISE}")))
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # no shell is meant
