"""A client of cwrkPlanet, for bots and tests: rooms, chat and voice with asyncio.

    async with Client("http://localhost:8080") as client:
        await client.login("bot@example.org", "a password of its own")
        async with client.room(room_id) as room:
            await room.say("hi")
            async for event in room.events:
                print(event)

It comes back by itself when a connection is lost, and then no event of the room's log is missing, none comes
twice, and what was said is there once. It wants aiohttp; for voice aiortc, too. Nothing here imports the
server: this folder is all of it. docs/client-tutorial.md tells what it does, and how.
"""

from client.client import Client
from client.errors import (
    ClientError,
    Closed,
    FieldError,
    ProtocolError,
    Refused,
    SignedOut,
    Unanswered,
    Unreachable,
    VoiceEnded,
)
from client.events import (
    Event,
    HistoryChanged,
    LogEvent,
    Message,
    MessageDeleted,
    MessageEdited,
    MessageReaction,
    Missed,
    Moderated,
    PersonJoined,
    PersonLeft,
    PersonUpdated,
    Quality,
    Reaction,
    RoomUpdated,
    Speakers,
    TimerChanged,
    Typing,
)
from client.models import Acked, HistoryItem, Person, Position, RoomInfo, Settings, Timer, User
from client.room import Room

__all__ = [
    "Acked",
    "Client",
    "ClientError",
    "Closed",
    "Event",
    "FieldError",
    "HistoryChanged",
    "HistoryItem",
    "LogEvent",
    "Message",
    "MessageDeleted",
    "MessageEdited",
    "MessageReaction",
    "Missed",
    "Moderated",
    "Person",
    "PersonJoined",
    "PersonLeft",
    "PersonUpdated",
    "Position",
    "ProtocolError",
    "Quality",
    "Reaction",
    "Refused",
    "Room",
    "RoomInfo",
    "RoomUpdated",
    "Settings",
    "SignedOut",
    "Speakers",
    "Timer",
    "TimerChanged",
    "Typing",
    "Unanswered",
    "Unreachable",
    "User",
    "VoiceEnded",
]
