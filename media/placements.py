"""Which rooms are this worker's, as far as it has been told: by the generation of their placement.

The rooms service places rooms in a table, and counts a room's generation up when it moves it. Two of its
replicas may disagree for a moment; here the newer word holds.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from common import errors

#: Of so many rooms the generation is remembered; who has not been asked for the longest is forgotten first.
KEPT: Final = 200_000


class Placements:
    """The newest generation that was heard of each room. Without one (0) a room is anybody's."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, int] = OrderedDict()

    def of(self, room_id: str) -> int:
        return self._newest.get(room_id, 0)

    def take(self, room_id: str, generation: int) -> bool:
        """Somebody asks by this generation; whether it is news. Raises Conflict when there is a newer one."""
        newest = self.of(room_id)
        if generation < newest:
            raise errors.Conflict("The room has been placed anew since then.", code="PLACEMENT_STALE")
        if generation == newest:
            return False
        self._newest[room_id] = generation
        self._newest.move_to_end(room_id)
        if len(self._newest) > KEPT:
            self._newest.popitem(last=False)
        return True
