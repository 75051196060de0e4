"""Every frame that the tests see is held to the published schema (docs/asyncapi.json)."""

from __future__ import annotations

from typing import Any

import jsonschema

from rooms.frames import asyncapi

Json = dict[str, Any]
UUIDS = jsonschema.FormatChecker(formats=["uuid"])


class Direction:
    """The frames that one side sends. A client takes what it does not know for news; here it is an error."""

    def __init__(self, operation: str) -> None:
        document = asyncapi.document()
        messages = document["components"]["messages"]
        self._validators: dict[str, jsonschema.Draft7Validator] = {}
        for reference in document["operations"][operation]["messages"]:
            message = messages[reference["$ref"].rpartition("/")[2]]
            frame = _closed(message["payload"], document["components"]["schemas"])
            jsonschema.Draft7Validator.check_schema(frame)
            self._validators[message["name"]] = jsonschema.Draft7Validator(frame, format_checker=UUIDS)

    @property
    def types(self) -> set[str]:
        return set(self._validators)

    def check(self, frame: Json) -> None:
        """Raises AssertionError for a frame that is not as published."""
        validator = self._validators.get(frame.get("type", ""))
        if validator is None:
            raise AssertionError(f"a frame of this type is not published: {frame}")
        wrong = jsonschema.exceptions.best_match(validator.iter_errors(frame))
        if wrong is not None:
            raise AssertionError(f"{wrong.json_path}: {wrong.message}, in {frame}")


def _closed(schema: Any, schemas: Json) -> Any:
    """With nothing beyond what is named, where anything is; and in one piece, which is quicker."""
    if isinstance(schema, list):
        return [_closed(each, schemas) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _closed(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    closed = {word: _closed(said, schemas) for word, said in schema.items()}
    return closed | ({"additionalProperties": False} if schema.get("properties") else {})


SENT = Direction("sent")  # by the server
RECEIVED = Direction("received")  # by the server, from clients
