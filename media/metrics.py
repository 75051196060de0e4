"""The worker's figures, read when somebody asks: nothing here is done for a packet."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterable
from typing import Final

from prometheus_client import Metric

from common.metrics import counter, gauge
from media.datagrams import PacketSocket
from media.packet_loop import Drop
from media.streams import StreamSocket
from media.worker import Worker

#: Linux's SO_MEMINFO: nine numbers, of which the last counts what found no place in the receive buffer.
_MEMINFO: Final = 55
_NUMBERS: Final = struct.Struct("9I")


def figures(worker: Worker) -> Iterable[Metric]:
    yield from _people(worker)
    yield from _packets(worker)


def _people(worker: Worker) -> Iterable[Metric]:
    voices = worker.voices
    yield gauge("cwrk_media_rooms", "Rooms that have voices.", len(worker.rooms))
    yield gauge("cwrk_media_voices", "Connections of participants.", len(voices))
    producers = sum(each.offer.uplink is not None and not each.muted for each in voices)
    yield gauge("cwrk_media_producers", "Those that may speak: they send, and are not muted.", producers)
    yield gauge("cwrk_media_slots", "Slots to listen with.", sum(len(each.slots) for each in voices))
    filled = sum(each.router.filled for each in worker.rooms)
    yield gauge("cwrk_media_slots_filled", "Slots with somebody in them.", filled)
    yield counter("cwrk_media_voices_ended", "Voices that ended.", worker.figures.ended, "reason")


def _packets(worker: Worker) -> Iterable[Metric]:
    counters = worker.forwarder.counters
    yield counter("cwrk_media_packets_received", "Voice packets that speakers sent.", counters.received)
    yield counter("cwrk_media_packets_forwarded", "Voice packets sent to listeners.", counters.forwarded)
    yield counter("cwrk_media_packets_recovered", "Filled in from redundancy.", counters.recovered)
    yield counter("cwrk_media_packets_asked", "Asked of speakers again (NACK).", counters.asked)
    yield counter("cwrk_media_packets_repeated", "Sent to listeners again.", counters.repeated)
    yield counter("cwrk_media_packets_questioned", "Asked for by listeners.", worker.figures.questions)
    dropped = {drop.name.lower(): counters.drops[drop] for drop in Drop}
    streams = [each for each in worker.sockets if isinstance(each, StreamSocket)]
    datagrams = [each for each in worker.sockets if not isinstance(each, StreamSocket)]
    dropped["unsent_tcp"] = sum(each.unsent for each in streams)
    dropped["unsent_udp"] = worker.forwarder.unsent - dropped["unsent_tcp"]
    dropped["unread"] = sum(map(unread, datagrams))
    yield counter("cwrk_media_packets_dropped", "Packets that went no further.", dropped, "reason")
    yield gauge("cwrk_media_tcp_connections", "Clients without UDP.", sum(map(len, streams)))
    overload = worker.forwarder.overload
    yield gauge("cwrk_media_overload", "1 while packets wait for the end of a tick.", overload.on)
    yield counter("cwrk_media_overloads", "How often that began.", overload.begun)
    yield counter("cwrk_media_overload_ticks", "Ticks.", overload.ticks)
    yield counter("cwrk_media_overload_segments", "Packets sent together with others.", overload.segments)
    refused = sum(each.refused for each in streams)
    yield counter("cwrk_media_tcp_refused", "TCP connections that were not let in.", refused)


def unread(datagrams: PacketSocket) -> int:
    """What the kernel dropped since nobody read it in time; 0 where it does not tell."""
    if sys.platform != "linux":
        return 0
    borrowed = socket.socket(fileno=datagrams.fd)
    try:
        return int(_NUMBERS.unpack(borrowed.getsockopt(socket.SOL_SOCKET, _MEMINFO, _NUMBERS.size))[-1])
    finally:
        borrowed.detach()
