"""Traces over the whole chain, told to a real OTLP receiver; and one that is away hurts nobody."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from tests import services
from tests.integration.collector import Collector, collecting
from tests.integration.student import PASSWORD, Student

TEXT = "the words of one who trusts us"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def traced(collector: Collector) -> Iterator[services.Stack]:
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "LOG_FORMAT": "json",
    }
    with services.running(passwords=(PASSWORD,), settings=settings) as running:
        yield running


@pytest.fixture
async def anna(traced: services.Stack) -> AsyncIterator[Student]:
    async with Student.registered(traced.url, traced.ws_url, "Anna") as student:
        yield student


async def test_one_request_is_one_trace_from_http_to_sql(anna: Student, collector: Collector) -> None:
    room = await anna.create_room("Algebra")
    sent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    await anna.get(f"/rooms/{room}", traceparent=sent)
    way = (
        "gateway GET /rooms/{id}",
        "gateway to rooms",
        "rooms cwrk.rooms.v1.Rooms/GetRoom",
        "rooms SELECT",
    )
    by_name = {f"{service} {span.name}": span for service, span in collector.trace_with("ab" * 16, *way)}
    line = [by_name[name] for name in way]
    assert [span.parent_span_id.hex() for span in line] == [
        "cd" * 8,
        *(span.span_id.hex() for span in line[:-1]),
    ]
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in line)


async def test_a_message_is_traced_to_its_statements(anna: Student, collector: Collector) -> None:
    room = await anna.create_room("Algebra")
    async with anna.in_room(room):
        await anna.say(TEXT, "1")
    _, batch = collector.named("chat batch")[0]
    spans = collector.trace_with(batch.trace_id.hex(), "rooms chat batch", "rooms SELECT", "rooms WITH")
    assert {span.parent_span_id for _, span in spans if span.name in ("SELECT", "WITH")} == {batch.span_id}


async def test_no_span_holds_what_people_said_or_what_opens_a_door(
    anna: Student, collector: Collector
) -> None:
    """Whatever came so far, and a password's way through auth."""
    await anna.post("/auth/password", {"currentPassword": "wrong", "newPassword": PASSWORD + "!"}, status=403)
    room = await anna.create_room("Algebra")
    invite = await anna.post(f"/rooms/{room}/invites", status=201)
    await anna.post(f"/invites/{invite['code']}/accept")
    collector.named("POST /invites/{code}/accept")
    collector.named("cwrk.auth.v1.Auth/ChangePassword")
    raw = collector.raw.decode("utf-8", "replace")
    assert "db.query.text" in raw
    for secret in (TEXT, PASSWORD, anna.token, anna.email, invite["code"], "Anna"):
        assert secret not in raw
    assert services.SECRETS.findall(raw) == []


async def test_lines_of_the_logs_say_of_which_request_room_and_person(
    anna: Student, traced: services.Stack
) -> None:
    room = await anna.create_room("Algebra")
    await anna.get(f"/rooms/{room}", request_id="the-one-we-sent")
    async with anna.in_room(room):
        await anna.speak_up()
    who = {"room_id": room, "user_id": int(anna.id)}
    lines: list[dict[str, object]] = []

    def said(service: str, event: str, **ids: object) -> list[dict[str, object]]:
        asked = {"service": service, "event": event, **ids}
        return [line for line in lines if asked.items() <= line.items()]

    async with asyncio.timeout(20):
        while not said("rooms", "connection closed", **who):
            await asyncio.sleep(0.05)
            logged = [line for line in traced.logs().splitlines() if line]
            assert [line for line in logged if not line.startswith("{")] == []
            lines[:] = map(json.loads, logged)

    assert said("gateway", "request", request_id="the-one-we-sent", status=200, **who)
    for event in ("connection opened", "connection closed"):
        assert len(said("rooms", event, **who)) == 1
    assert said("rooms", "connection opened", **who)[0]["request_id"]
    assert [line["room_id"] for line in lines if line["service"] == "media" and "voice_id" in line][
        -1
    ] == room
    assert all({"level", "timestamp", "event", "service"} <= line.keys() for line in lines)


async def test_a_collector_that_never_answers_keeps_no_service_from_working_or_stopping(
    traced: services.Stack,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with traced.changed("rooms", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_MAX_QUEUE_SIZE="600"):
            async with Student.registered(traced.url, traced.ws_url, "Boris") as boris:
                for _ in range(50):
                    await boris.create_room("Algebra")
            silent.accept()[0].close()  # it was tried
            traced.terminate("rooms")
            traced.start("rooms")
            traced.wait_until_ready()
