"""The description is of every route and of no other, and /docs shows it with nobody's help."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from aiohttp import hdrs

from common import rpc
from common.metrics import Page
from common.revocations import Revocations
from gateway import reference
from gateway.app import make_app
from gateway.config import Config
from gateway.openapi import document
from tests.gateway.running import Api

# The page and its files are for browsers, not for programs.
PAGE = {
    *("/", "/login", "/account", "/doctor", "/r/{id}", "/invite/{code}", "/verify", "/forgot", "/reset"),
    *("/static/{path}", "/docs", "/docs/{file}"),
}


async def test_every_route_is_described_and_no_other(web_dir: Path) -> None:
    async with (
        rpc.connect("127.0.0.1:1", "auth", "") as auth,
        rpc.connect("127.0.0.1:1", "rooms", "") as rooms,
    ):
        app = make_app(Config(web_dir=str(web_dir)), auth, rooms, Revocations(auth), Page("gateway"))
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != hdrs.METH_HEAD
    }
    described = {
        (method, path)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if "responses" in operation
    }
    assert {(method, path) for method, path in served if path not in PAGE} == described


def test_what_is_referred_to_is_there() -> None:
    whole = document()
    references = set(re.findall(r"'\$ref': '#/components/(\w+)/([\w-]+)'", repr(whole)))
    assert references
    for kind, name in references:
        assert name in whole["components"][kind]
    names = [
        operation["operationId"]
        for methods in whole["paths"].values()
        for operation in methods.values()
        if "responses" in operation
    ]
    assert len(names) == len(set(names))
    for schema in whole["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("path", "text"),
    [("/openapi.json", json.dumps(document())), ("/asyncapi.json", reference.FRAMES.read_text("utf-8"))],
)
async def test_each_document_is_served_and_kept(api: Api, path: str, text: str) -> None:
    answer = await api.call("GET", path)
    assert answer.json == json.loads(text)
    assert answer.headers["Content-Type"].startswith("application/json")
    again = await api.call("GET", path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


async def test_docs_work_offline_under_a_strict_policy(api: Api) -> None:
    page = await api.call("GET", "/docs")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html"
    policy = page.headers["Content-Security-Policy"]
    assert policy == reference.POLICY
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert set(loaded) == {"/docs/docs.css", "/docs/docs.js", "/openapi.json"}
    for path in loaded:
        assert (await api.call("GET", path)).status == 200
    # Nothing inline, and nobody else's address in any of them.
    assert "></script>" in page.text
    for file in reference.FOLDER.iterdir():
        text = file.read_text()
        assert not re.search(r"https?://", text), file
        assert "innerHTML" not in text, file
        assert not re.search(r"\son\w+=|style=", text), file


async def test_docs_are_those_files_alone(api: Api) -> None:
    for path in (
        "/docs/index.html",
        "/docs/../app.py",
        "/docs/%2e%2e/app.py",
        "/docs/reference.py",
        "/docs/",
    ):
        assert (await api.call("GET", path)).status == 404
