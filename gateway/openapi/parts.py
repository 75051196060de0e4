"""What the description of a route is put together from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

# A control character is in no text of ours. `\\S`: a text of blanks is an empty one.
NO_CONTROLS = r"^[^\u0000-\u001f\u007f-\u009f]*$"
SOME_TEXT = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"

PROBLEMS = {
    400: "The request cannot be read",
    401: "No access token, or one that does not hold",
    403: "Known, but may not",
    404: "There is no such thing, or none that the caller may know of",
    408: "The body did not arrive in time",
    409: "The state does not allow it",
    413: "The body is larger than 64 KiB",
    415: "The body is not JSON",
    422: "A field is wrong: `errors` says which and why",
    429: "Too many requests: come back after `Retry-After` seconds",
    503: "A service behind is down: come back after `Retry-After` seconds",
    504: "A service behind did not answer in time",
}
HEADERS: Json = {
    "X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"},
    "traceparent": {"$ref": "#/components/headers/traceparent"},
}
RETRY: Json = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
CHALLENGE: Json = {"WWW-Authenticate": {"$ref": "#/components/headers/WWW-Authenticate"}}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str = "", **more: Any) -> Json:
    return {"type": "string", **({"description": description} if description else {}), **more}


def optional(schema: Json) -> Json:
    """Null is the same as absent."""
    return {**schema, "type": [schema["type"], "null"]}


def thing(required: Json, **optional_members: Json) -> Json:
    """An object. Members beyond these may come with a later version."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional_members},
    }


def body(schema: Json, *, required: bool = True) -> Json:
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}


def listed(name: str, description: str = "") -> Json:
    """A list of these, whole."""
    return thing(
        {
            "items": {
                "type": "array",
                "items": ref(name),
                **({"description": description} if description else {}),
            }
        }
    )


def answer(description: str, schema: Json | None = None, **more: Any) -> Json:
    content = {"content": {"application/json": {"schema": schema}}} if schema else {}
    return {"description": description, "headers": HEADERS, **content, **more}


EMPTY = answer("Done")


def problem(status: int) -> Json:
    extra = RETRY if status in (429, 503) else CHALLENGE if status == 401 else {}
    return {
        "description": PROBLEMS[status],
        "headers": {**HEADERS, **extra},
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }


def operation(
    tag: str,
    name: str,
    summary: str,
    good: Mapping[int, Json],
    problems: tuple[int, ...] = (),
    *,
    signed_in: bool = True,
    takes_body: Json | None = None,
    body_needed: bool = True,
    **more: Any,
) -> Json:
    """One method of a route. `good`: answers by status; what any route may answer is added."""
    statuses = {429, 503, 504, *problems}
    if signed_in:
        statuses |= {401, 403}
    if takes_body is not None:
        statuses |= {400, 408, 413, 415, 422}
    return {
        "tags": [tag],
        "operationId": name,
        "summary": summary,
        **more,
        **({} if signed_in else {"security": []}),
        **(body(takes_body, required=body_needed) if takes_body is not None else {}),
        "responses": {
            **{str(status): each for status, each in good.items()},
            **{str(status): problem(status) for status in sorted(statuses)},
        },
    }


def parameter(place: str, name: str, schema: Json, description: str, *, required: bool = False) -> Json:
    return {"name": name, "in": place, "required": required, "schema": schema, "description": description}
