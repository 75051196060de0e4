"""A network of the tests' own, with nothing in it but loopback and one interface.

Firefox never pairs with 127.0.0.1, so the voices need an address on an interface; and browsers left to
themselves talk to the outside. So pytest starts itself anew under `unshare --net`: as root directly, as
anybody else inside a user namespace, where they are root for long enough to add the interface. Where the
kernel forbids that (a plain container), the tests run on loopback and the Firefox part is skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests import services
from tests.services import Stack

ADDRESS = "10.77.0.1"
ADDRESS_V6 = "fd77::1"
INSIDE = "CWRK_E2E_NAMESPACE"

# A pair, because an interface with nothing at its other end is down. The route is for pages that may not
# use the microphone: those get the address of the default route only.
INTERFACE = f"""
set -e
ip link set lo up
ip link add e2e type veth peer name e2e-far
ip addr add {ADDRESS}/24 dev e2e
# A kernel without IPv6 has none here either.
ip -6 addr add {ADDRESS_V6}/64 dev e2e nodad || true
ip link set e2e-far up
ip link set e2e up
ip route add default dev e2e
exec "$@"
"""


def inside() -> bool:
    return INSIDE in os.environ


@contextmanager
def stack(workers: int = 1) -> Iterator[Stack]:
    """The real services, at every address there is in here; voices at the one a Firefox accepts."""
    if not inside():
        with services.running(workers=workers) as running:
            yield running
        return
    # In a network of our own nobody else can knock.
    with services.running(
        listen="0.0.0.0", media_host=ADDRESS, origins=(ADDRESS,), workers=workers
    ) as running:
        yield running


def insecure_url(running: Stack) -> str:
    """The same page by an address that browsers do not trust as they trust loopback."""
    return running.url.replace("127.0.0.1", ADDRESS)


def enter(module: str, arguments: Sequence[str]) -> None:
    """Become `python -m module arguments` in a namespace. Comes back inside, or where there is none."""
    if inside():
        return
    wrapper = _wrapper()
    if subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode != 0:
        return
    os.environ[INSIDE] = "1"
    os.execvp(wrapper[0], [*wrapper, sys.executable, "-m", module, *arguments])


def _wrapper() -> list[str]:
    setup = ["sh", "-c", INTERFACE, "sh"]
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return ["false"]
    if os.geteuid() == 0:
        return ["unshare", "--net", *setup]
    # Root for the interface, oneself again for the servers: PostgreSQL refuses to run as root.
    oneself = ["unshare", f"--map-user={os.getuid()}", f"--map-group={os.getgid()}"]
    return ["unshare", "--net", "--map-root-user", *setup, *oneself]
