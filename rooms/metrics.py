"""What this replica of rooms counts, read when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import Metric

from common.errors import CLOSE_CODE
from common.metrics import counter, gauge
from rooms.hub import Hub
from rooms.placement import Placement
from rooms.websocket.connection import NO_PONG, SLOW_READER, TOKEN_EXPIRED

# A client may close with any code it likes: what is neither RFC 6455's nor ours has no figure of its own.
OURS: Final = {*CLOSE_CODE.values(), SLOW_READER[0], NO_PONG[0], TOKEN_EXPIRED[0], 4200}
STANDARD: Final = range(1000, 1016)


def figures(hub: Hub, placement: Placement) -> Iterable[Metric]:
    yield from websockets(hub)
    yield from log(hub)
    yield from voice(placement)


def websockets(hub: Hub) -> Iterable[Metric]:
    traffic = hub.sends.traffic
    connections = list(hub.connections)
    yield gauge("cwrk_rooms_open", "Rooms with somebody in them here.", len(hub.open_rooms()))
    yield gauge("cwrk_rooms_websockets", "Websockets in a room.", len(connections))
    yield counter("cwrk_rooms_websockets_attached", "Websockets that came into a room.", traffic.attached)
    yield counter("cwrk_rooms_websockets_refused", "Those that did not.", traffic.refused, "code")
    yield counter("cwrk_rooms_websockets_closed", "Those that ended.", by_code(traffic.closed), "code")
    yield counter("cwrk_rooms_frames_received", "What clients sent.", traffic.received, "type")
    yield counter("cwrk_rooms_frames_sent", "Said: to many counts once.", traffic.sent, "type")
    yield counter("cwrk_rooms_frames_delivered", "Said, to each of them.", traffic.delivered)
    yield counter("cwrk_rooms_errors", "Error frames.", traffic.errors, "code")
    resumed = {"recovered": traffic.resumed[True], "too_far": traffic.resumed[False]}
    yield counter("cwrk_rooms_resumes", "Clients that came back for what they missed.", resumed, "outcome")
    held = [each.held_bytes for each in connections]
    yield gauge("cwrk_rooms_outbox_bytes", "What waits for clients, outside the kernel.", sum(held))
    yield gauge("cwrk_rooms_outbox_bytes_max", "And for the slowest of them.", max(held, default=0))


def log(hub: Hub) -> Iterable[Metric]:
    history, fanout = hub.log.history, hub.log.fanout
    yield counter("cwrk_rooms_drafts", "What became of what was to be saved.", history.outcomes, "outcome")
    yield gauge("cwrk_rooms_drafts_waiting", "What waits to be saved.", history.waiting)
    yield gauge("cwrk_rooms_calls_waiting", "Calls that wait or run.", hub.lanes.waiting)
    if fanout.state != "none":
        yield gauge("cwrk_redis_up", "Whether Redis can be spoken to and heard.", fanout.state == "ok")
    yield gauge("cwrk_rooms_notices_waiting", "Notices to other replicas that wait.", fanout.waiting)
    yield counter("cwrk_rooms_notices_unreadable", "Notices that made no sense.", fanout.unreadable)


def voice(placement: Placement) -> Iterable[Metric]:
    workers = placement.workers
    up = {address: float(each.alive) for address, each in workers.items()}
    yield gauge("cwrk_rooms_media_up", "Whether the media worker is heard.", up, "worker")
    draining = {address: float(each.draining) for address, each in workers.items()}
    yield gauge("cwrk_rooms_media_draining", "Whether it is about to stop.", draining, "worker")
    load = {address: float(each.load) for address, each in workers.items()}
    yield gauge("cwrk_rooms_media_load", "Its voices, as far as we know.", load, "worker")
    yield counter("cwrk_rooms_placements", "Rooms that were placed on a worker.", placement.placed)
    yield gauge("cwrk_rooms_placements_known", "Rooms of which it is remembered where.", placement.remembered)


def by_code(closed: Mapping[int, int]) -> Mapping[str, float]:
    counted = {str(SLOW_READER[0]): 0}
    for code, count in closed.items():
        name = str(code) if code in STANDARD or code in OURS else "other"
        counted[name] = counted.get(name, 0) + count
    return counted
