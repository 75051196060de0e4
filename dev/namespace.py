"""A network of one's own, with nothing in it but loopback and one interface, for tests and benches.

Firefox and Janus use no loopback address, so the voices need one on an interface; and browsers left to
themselves talk to the outside. So a program starts itself anew under `unshare --net`: as root directly, as
anybody else inside a user namespace, where they are root for long enough to add the interface. Where the
kernel forbids that (a plain container), it goes on as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

ADDRESS = "10.77.0.1"
ADDRESS_V6 = "fd77::1"
_INSIDE = "CWRK_NAMESPACE"

# A pair, because an interface with nothing at its other end is down. The route is for pages that may not
# use the microphone: those get the address of the default route only.
_INTERFACE = f"""
set -e
ip link set lo up
ip link add near type veth peer name far
ip addr add {ADDRESS}/24 dev near
# A kernel without IPv6 has none here either.
ip -6 addr add {ADDRESS_V6}/64 dev near nodad || true
ip link set far up
ip link set near up
ip route add default dev near
exec "$@"
"""


def inside() -> bool:
    return _INSIDE in os.environ


def enter(module: str, arguments: Sequence[str]) -> None:
    """Become `python -m module arguments` in a namespace. Comes back inside, or where there is none."""
    if inside():
        return
    wrapper = _wrapper()
    if subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode != 0:
        return
    os.environ[_INSIDE] = "1"
    os.execvp(wrapper[0], [*wrapper, sys.executable, "-m", module, *arguments])  # noqa: S606


def _wrapper() -> list[str]:
    setup = ["sh", "-c", _INTERFACE, "sh"]
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return ["false"]
    if os.geteuid() == 0:
        return ["unshare", "--net", *setup]
    # Root for the interface, oneself again for the servers: PostgreSQL refuses to run as root.
    oneself = ["unshare", f"--map-user={os.getuid()}", f"--map-group={os.getgid()}"]
    return ["unshare", "--net", "--map-root-user", *setup, *oneself]
