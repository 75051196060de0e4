"""What the gateway is answered: values as protobuf. Times are RFC 3339, in UTC."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TypeVar

from common.rpc import MAX_MESSAGE_BYTES
from proto import rooms_pb2
from rooms.core.events import Event, announcement
from rooms.core.timer import phase
from rooms.examination import Finding
from rooms.frames.codec import encode
from rooms.tables.records import BanRecord, ChatRecord, InviteRecord, RoomRecord, SeatRecord
from rooms.tables.tickets import Ticket
from rooms.tables.timers import TimerRecord

MAX_BYTES = MAX_MESSAGE_BYTES // 2  # of messages or events in one answer

T = TypeVar("T")


def room(found: RoomRecord) -> rooms_pb2.Room:
    return rooms_pb2.Room(
        id=str(found.id),
        name=found.name,
        max_participants=found.max_participants,
        created_at=_time(found.created_at),
        owner_id=found.owner_id,
        topic=found.topic,
        visibility=found.visibility,
        participants=found.participants,
        unread=found.unread,
        locked=found.locked,
        slow_mode_s=found.slow_mode_s,
        listen_only=found.listen_only,
        role=found.role,
    )


def participant(seat: SeatRecord) -> rooms_pb2.Participant:
    return rooms_pb2.Participant(
        user_id=str(seat.user_id),
        display_name=seat.display_name,
        role=seat.role,
        joined_at=_time(seat.taken_at),
        last_seen=_time(seat.seen_at),
        online=seat.online,
        muted=bool(seat.muted_by),
        muted_by=seat.muted_by,
        hand_raised_at=_time(seat.hand_raised_at),
    )


def chat(room_id: str, found: Sequence[ChatRecord]) -> list[rooms_pb2.ChatItem]:
    """As many of them as an answer holds."""
    return fitting([_chat_item(room_id, item) for item in found], rooms_pb2.ChatItem.ByteSize)


def events(
    room_id: str, found: Sequence[Event], since_seq: int, last_seq: int, epoch: str
) -> rooms_pb2.ListEventsResponse:
    """As many of them as an answer holds. `last_seq`: where the log stood before they were read."""
    frames = [encode(announcement(room_id, event), seq=event.seq) for event in found]
    return rooms_pb2.ListEventsResponse(
        frames=fitting(frames, len),
        last_seq=max(last_seq, found[-1].seq) if found else last_seq,
        epoch=epoch,
        complete=found[0].seq == since_seq + 1 if found else since_seq == last_seq,
    )


def _chat_item(room_id: str, item: ChatRecord) -> rooms_pb2.ChatItem:
    return rooms_pb2.ChatItem(
        id=str(item.id),
        room_id=room_id,
        user_id=str(item.user_id),
        display_name=item.display_name,
        text=item.text,
        created_at=_time(item.created_at),
        reply_to=str(item.reply_to) if item.reply_to else "",
        seq=item.seq,
        edited_at=_time(item.edited_at),
        deleted=item.deleted,
        reactions=[rooms_pb2.Reactions(emoji=emoji, user_ids=map(str, who)) for emoji, who in item.reactions],
    )


def fitting(items: Sequence[T], size: Callable[[T], int]) -> list[T]:
    """The first of them that one answer holds together; one always."""
    total = 0
    for place, item in enumerate(items):
        total += size(item)
        if place and total > MAX_BYTES:
            return list(items[:place])
    return list(items)


def ban(found: BanRecord) -> rooms_pb2.Ban:
    return rooms_pb2.Ban(
        user_id=str(found.user_id),
        display_name=found.display_name,
        by=str(found.by_id),
        created_at=_time(found.created_at),
        until=_time(found.until),
    )


def invite(found: InviteRecord) -> rooms_pb2.Invite:
    return rooms_pb2.Invite(
        code=found.code,
        room_id=str(found.room_id),
        created_by=str(found.created_by),
        created_at=_time(found.created_at),
        expires_at=_time(found.expires_at),
        max_uses=found.max_uses or 0,
        uses=found.uses,
    )


def ticket(made: Ticket) -> rooms_pb2.Ticket:
    return rooms_pb2.Ticket(ticket=made.text, expires_at=_time(made.good_until))


def timer(found: TimerRecord) -> rooms_pb2.Timer:
    view, stands = found.timer, phase(found.timer, found.now_ms)
    return rooms_pb2.Timer(
        state=view.state,
        focus_s=view.focus_s,
        break_s=view.break_s,
        started_at_ms=view.started_at_ms,
        elapsed_ms=view.elapsed_ms,
        set_by=str(found.set_by) if found.set_by else "",
        phase=stands.name,
        remaining_ms=stands.remaining_ms,
        round=stands.round,
    )


def examined(found: Sequence[Finding]) -> rooms_pb2.ExamineResponse:
    return rooms_pb2.ExamineResponse(findings=[rooms_pb2.Finding(**asdict(each)) for each in found])


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""
