"""The websocket's frames as an AsyncAPI document, made from the dataclasses that are sent and received.

`make asyncapi` writes it to docs/asyncapi.json, which is committed: the gateway serves it, and tests hold
every frame to it. A field's type, limits and units are its annotation, the sentences are the docstrings.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from rooms.frames.fields import LEFT_OUT_WHEN_NONE
from rooms.frames.incoming import MAX_ID_CHARACTERS, ClientMessage
from rooms.frames.outgoing import LogMessage, ServerMessage

Json = dict[str, Any]

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.json"
PLAIN: Mapping[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    UUID: {"type": "string", "format": "uuid"},
}
ABOUT = (
    "One websocket a person and room. Every frame is text: a type, a payload, and on the events of the room's"
    " log a seq, one more than the last. A client may add an id, which the answer repeats. Ignore types and"
    " members that you do not know. Close codes, limits and what is promised: docs/protocol.md; the REST API:"
    " /openapi.json."
)


def document() -> Json:
    """The whole document."""
    received, sent = _members(ClientMessage), _members(ServerMessage)
    log = set(_members(LogMessage))
    messages = {kind.__name__: _message(kind, _received(kind)) for kind in received}
    messages |= {kind.__name__: _message(kind, _sent(kind, durable=kind in log)) for kind in sent}
    return {
        "asyncapi": "3.1.0",
        "info": {"title": "cwrkPlanet: the websocket of a room", "version": "1", "description": ABOUT},
        "defaultContentType": "application/json",
        "servers": {
            "rooms": {
                "host": "localhost:8082",
                "protocol": "ws",
                "description": "As it is on one's own machine; /config.json says where it is",
            }
        },
        "channels": {
            "room": {
                "address": "/ws/rooms/{room_id}",
                "parameters": {"room_id": {"description": "The room's id, of which one is a member"}},
                "bindings": {"ws": {"query": _query(), "bindingVersion": "0.1.0"}},
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "received": _operation("receive", "What clients send", received),
            "sent": _operation("send", "What the server sends", sent),
        },
        "components": {
            "messages": messages,
            "schemas": dict(sorted(_schemas(received + sent).items())),
        },
    }


def written() -> str:
    """The text of FILE."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def _members(union: Any) -> tuple[type, ...]:
    return tuple(sorted(get_args(union), key=lambda kind: kind.__name__))


def _operation(action: str, summary: str, kinds: tuple[type, ...]) -> Json:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/room"},
        "messages": [{"$ref": f"#/channels/room/messages/{kind.__name__}"} for kind in kinds],
    }


def _message(kind: Any, frame: Json) -> Json:
    return {"name": kind.type, "summary": _sentences(kind).partition("\n")[0], "payload": frame}


def _received(kind: Any) -> Json:
    frame_id = {"type": ["string", "null"], "minLength": 1, "maxLength": MAX_ID_CHARACTERS}
    required = ["payload"] if _schema(kind, sent=False).get("required") else []
    return _frame(kind, {"id": frame_id}, required)


def _sent(kind: Any, *, durable: bool) -> Json:
    if durable:
        return _frame(kind, {"seq": {"type": "integer", "minimum": 1}}, ["seq", "payload"])
    return _frame(kind, {"id": {"type": "string", "description": "Of the frame it answers"}}, ["payload"])


def _frame(kind: Any, more: Json, required: list[str]) -> Json:
    properties = {"type": {"const": kind.type}, **more, "payload": _ref(kind)}
    return {"type": "object", "required": ["type", *required], "properties": properties}


def _schemas(kinds: tuple[type, ...]) -> Json:
    """The payload of each, and what they are made of, by the names of their dataclasses."""
    sent = set(get_args(ServerMessage))
    return {each.__name__: _schema(each, sent=kind in sent) for kind in kinds for each in _with_parts(kind)}


def _with_parts(kind: Any) -> Iterator[Any]:
    yield kind
    for hint in get_type_hints(kind).values():
        for part in (hint, *get_args(hint)):
            if dataclasses.is_dataclass(part):
                yield from _with_parts(part)


def _schema(kind: Any, *, sent: bool) -> Json:
    """A dataclass. All we send is always there; clients may leave out what has a default."""
    hints = get_type_hints(kind, include_extras=True)
    properties, required = {}, []
    for field in dataclasses.fields(kind):
        properties[field.name] = _value(hints[field.name])
        left_out = LEFT_OUT_WHEN_NONE in getattr(hints[field.name], "__metadata__", ())
        if field.default is dataclasses.MISSING or (sent and not left_out):
            required.append(field.name)
        elif not sent and field.default is not None:
            properties[field.name]["default"] = field.default
    return {
        "type": "object",
        "description": _sentences(kind),
        "properties": properties,
        **({"required": required} if required else {}),
    }


def _value(hint: Any) -> Json:
    if hint in PLAIN:
        return dict(PLAIN[hint])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        said, *more = arguments
        if LEFT_OUT_WHEN_NONE in more:
            return _value(_but_none(said))
        return _value(said) | {
            word: [*value] if isinstance(value, tuple) else value for words in more for word, value in words
        }
    if origin in (Union, UnionType):
        return _or_null(_value(_but_none(hint)))
    if origin is tuple:
        return {"type": "array", "items": _value(arguments[0])}
    if dataclasses.is_dataclass(hint):
        return _ref(hint)
    return {"type": "object"}  # of whatever form: what stands in the settings


def _but_none(union: Any) -> Any:
    (other,) = (each for each in get_args(union) if each is not type(None))
    return other


def _or_null(schema: Json) -> Json:
    if "$ref" in schema:
        return {"oneOf": [schema, {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    return nullable | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})


def _ref(kind: Any) -> Json:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _query() -> Json:
    """What may stand in the address."""
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": {
            "access_token": {**text, "description": "Or a ticket, or neither and an auth frame within 5 s"},
            "ticket": {**text, "description": "Of POST /rooms/{id}/tickets; opens one websocket, once"},
            "user_id": {**text, "description": "When given, the token's subject"},
            "epoch": {**text, "description": "With last_seq: the replay comes before anything live"},
            "last_seq": {**text, "pattern": "^[0-9]+$"},
        },
    }


def _sentences(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
