"""What is told and asked by RTCP, of and by each voice: reports of both directions, and what is missing."""

from __future__ import annotations

from media import reports, rtcp
from media.events import Events, QualityEvent
from media.figures import Figures
from media.packet_loop import PacketLoop
from media.voice import REPORT_INTERVAL, Voice


class RtcpCalls:
    """Between the packet loop and the voices' quality."""

    def __init__(self, loop: PacketLoop, events: Events, figures: Figures) -> None:
        self._loop = loop
        self._events = events
        self._figures = figures

    def heard(self, voice: Voice, compound: bytes, now: float) -> None:
        """The voice's participant reports, or asks."""
        for ssrc, ntp in rtcp.sender_reports(compound):
            self._loop.sender_reported(voice.number, ssrc, ntp, now)
        for block in rtcp.report_blocks(compound):
            voice.quality.told(block, now)
        for ssrc, sequences in rtcp.nacks(compound):
            self._figures.questions += len(sequences)
            self._loop.repeat(voice.number, ssrc, sequences, now)

    def ask(self, voice: Voice, ssrc: int, sequences: list[int]) -> None:
        """For packets that did not come."""
        question = reports.question(voice.report_ssrc, voice.cname, ssrc, sequences)
        self._loop.send_rtcp(voice.number, question)

    def report(self, voice: Voice, now: float, wall: float) -> None:
        """What is due now, and how the voice does."""
        voice.report_at = now + REPORT_INTERVAL
        block = self._loop.report(voice.number, now)
        streams = self._loop.sent(voice.number, now)
        for compound in reports.reports(voice.report_ssrc, voice.cname, block, streams, wall):
            self._loop.send_rtcp(voice.number, compound)
        voice.quality.report_sent(rtcp.ntp_middle(wall), now)
        if block is not None:
            voice.quality.heard(block)
        score = voice.quality.score(now)
        if score is not None:
            self._figures.scored(score)
            self._events.emit(QualityEvent(voice.room_id, voice.user_id, voice.id, score))
