"""Which media worker a room lives on."""

from __future__ import annotations

from rooms.media_client import Worker


class Placement:
    """One worker, from the settings, has every room."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def worker_of(self, room_id: str) -> Worker:
        """The worker that has the room's voices."""
        return self._worker
