"""A bot that greets who comes and keeps the study timer.

    BOT_PASSWORD=… python -m client.examples.greeter bot@example.org Algebra

It opens an account of its own when it has none, and a room of that name when there is none. There it does as
it is told: /focus 25, /focus 50 10, /pause, /stop, /help. It comes back by itself when the server restarts.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys

from client import Client, ClientError, Event, Message, PersonJoined, Refused, Room

HELP = "I keep the timer: /focus 25 (minutes), /focus 50 10 (with a break), /pause, /stop."
MOST_MINUTES, MOST_BREAK = 240, 60


class Greeter:
    """What the bot does, event by event."""

    def __init__(self, room: Room, own_id: str) -> None:
        self._room, self._own_id = room, own_id
        self._greeted = set(room.people)

    async def hears(self, event: Event) -> None:
        match event:
            case PersonJoined(person) if person.user_id not in self._greeted:
                self._greeted.add(person.user_id)
                await self._room.say(f"Welcome, {person.display_name}! {HELP}")
            case Message(user_id=who, text=text, deleted=False) if who != self._own_id and text.startswith(
                "/"
            ):
                await self._room.say(await self._does(text.split()), reply_to=event.id)

    async def _does(self, words: list[str]) -> str:
        """What there is to say about it."""
        try:
            match words:
                case ["/focus", *minutes]:
                    return await self._focus([int(each) for each in minutes])
                case ["/pause"]:
                    await self._room.pause_timer()
                    return "The timer waits."
                case ["/stop"]:
                    await self._room.stop_timer()
                    return "The timer is stopped."
        except Refused as refusal:
            return refusal.message
        except ValueError:
            pass  # no number
        return HELP

    async def _focus(self, minutes: list[int]) -> str:
        focus, rest = (minutes + [25, 5][len(minutes) :])[:2]
        if not (1 <= focus <= MOST_MINUTES and 0 <= rest <= MOST_BREAK):
            return f"From 1 to {MOST_MINUTES} minutes, and a break of at most {MOST_BREAK}."
        await self._room.start_timer(focus_s=60 * focus, break_s=60 * rest)
        return f"{focus} minutes of focus, then {rest} of break. Go!"


async def sign_in(client: Client, email: str, password: str) -> str:
    """The bot's own id. It registers when nobody has this address."""
    try:
        return (await client.login(email, password)).id
    except Refused as wrong:
        if wrong.code != "INVALID_CREDENTIALS":
            raise
        try:
            return (await client.register(email, "Greeter", password)).id
        except Refused as refusal:
            raise wrong if refusal.code == "EMAIL_TAKEN" else refusal from None


async def room_named(client: Client, name: str) -> str:
    """The id of the room of this name, made when there is none."""
    for room in await client.rooms(search=name):
        if room.name == name:
            return room.id
    return (await client.create_room(name)).id


async def run(url: str, email: str, password: str, name: str) -> None:
    """Until it is sent out of the room, or stopped."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with Client(url) as client:
        own_id = await sign_in(client, email, password)
        async with client.room(await room_named(client, name)) as room:
            print(f"in {name} at {url.rstrip('/')}/r/{room.id}; Ctrl-C ends it", flush=True)
            greeter = Greeter(room, own_id)
            async for event in room.events:
                await greeter.hears(event)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("email", help="the bot's account; its password is in BOT_PASSWORD")
    parser.add_argument("room", help="the name of a room")
    parser.add_argument("--url", default="http://localhost:8080", help="the page's address (%(default)s)")
    arguments = parser.parse_args()
    password = os.environ.get("BOT_PASSWORD")
    if not password:
        parser.error("set BOT_PASSWORD: the bot has an account of its own")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        asyncio.run(run(arguments.url, arguments.email, password, arguments.room))
    except ClientError as error:
        sys.exit(str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass


if __name__ == "__main__":
    main()
