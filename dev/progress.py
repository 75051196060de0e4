"""What the user sees while something is done: a short line each, with the seconds since the start."""

import sys
import time


class Progress:
    """Lines for a terminal or a pipe alike; each is there as soon as it is true."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        print(f"  {self.seconds:4.1f} s  {text}", flush=True)

    def finish(self, text: str) -> None:
        """The last line, the one that is looked for."""
        bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
        print(f"{bold}{text}{plain}", flush=True)
