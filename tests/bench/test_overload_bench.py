"""A short run of bench.overload: its figures are a worker's."""

import pytest

from bench.forward.load import everybody
from bench.overload.__main__ import measure
from tests.media.ends import LOOPS

pytestmark = pytest.mark.skipif("native" not in LOOPS, reason="there is no C compiler")


def test_several_speakers_share_a_send_and_nothing_is_lost() -> None:
    result = measure(everybody(5), "always", (60, 120), 0.5)
    assert (result.unread, result.lost) == (0, 0)
    assert result.segments > 0
    assert result.rate > 0
    assert result.cpu_us >= 0
