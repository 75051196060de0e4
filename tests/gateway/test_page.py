"""The page: its addresses, its files, what it may load and where it finds the websocket."""

import gzip
import re
from pathlib import Path

import aiohttp
import pytest

from common.config import ConfigError, load
from gateway.config import Config
from gateway.pages import FOR_GOOD
from gateway.serve import serve
from tests.auth.running import Caller
from tests.gateway.running import Answer, Api, running_gateway


@pytest.mark.parametrize(
    "path",
    ["/", "/login", "/r/0190c0de-0000-7000-8000-000000000001", "/invite/abc", "/?next=%2Fr%2F1"],
)
async def test_each_of_the_pages_addresses_is_the_page(api: Api, path: str) -> None:
    answer = await api.call("GET", path, headers={"Accept": "text/html"})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.text.startswith("<!doctype html>")


async def test_what_the_page_uses_has_an_address_that_changes_with_it_and_is_kept_for_good(
    api: Api, web_dir: Path
) -> None:
    def base_in(page: Answer) -> str:
        found = re.search(r"src=(/static/v-[0-9a-f]{12}/)app.js", page.text)
        assert found
        return found[1]

    (web_dir / "more.css").write_text("p {}")
    page = await api.call("GET", "/login")
    base = base_in(page)
    assert page.headers["Link"] == f"<{base}app.js>; rel=modulepreload"
    assert page.headers["Cache-Control"] == "no-cache"
    for name in ("app.js", "more.css", "index.html"):
        assert (await api.call("GET", base + name)).headers["Cache-Control"] == FOR_GOOD
    assert (await api.call("GET", base + "none.css")).status == 404
    assert (await api.call("GET", base + "../../etc/passwd")).status == 404

    (web_dir / "more.css").write_text("p { margin: 0 }")
    stale = await api.call("GET", base + "more.css")  # changed, and nobody has loaded the page since
    assert (stale.text, stale.headers["Cache-Control"]) == ("p { margin: 0 }", "no-cache")
    assert base_in(await api.call("GET", "/")) != base
    stale = await api.call("GET", base + "app.js")
    assert (stale.status, stale.headers["Cache-Control"]) == (200, "no-cache")
    (web_dir / "more.css").write_text("p {}")
    assert base_in(await api.call("GET", "/")) == base


async def test_modules_that_belong_together_are_sent_as_one(auth: Caller, web_dir: Path) -> None:
    (web_dir / "pages").mkdir()
    (web_dir / "app.js").write_text("import './a.js';\nconst later = () => import('./pages/room.js');\n")
    (web_dir / "a.js").write_text("export const a = 1;\n")
    (web_dir / "pages" / "room.js").write_text("import { a } from '../a.js';\nexport const b = a;\n")
    (web_dir / "room.css").write_text("")
    for how, preloaded in (("packed", "app.js pages/room.js"), ("apart", "app.js a.js pages/room.js")):
        async with (
            running_gateway(auth=auth.address, web_dir=str(web_dir), web_modules=how) as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        ):
            api = Api(session, port)
            link = (await api.call("GET", "/r/1")).headers["Link"]
            base = link[1 : link.index("room.css")]
            room = await api.call("GET", f"{base}pages/room.js")
            plain = await api.call("GET", "/static/pages/room.js")
        hints = ", ".join(f"<{base}{name}>; rel=modulepreload" for name in preloaded.split())
        assert link == f"<{base}room.css>; rel=preload; as=style, {hints}"
        assert plain.text == "import { a } from '../a.js';\nexport const b = a;\n"
        assert ("define" in room.text) == (how == "packed")


async def test_modules_that_cannot_be_packed_are_sent_as_they_are(api: Api, web_dir: Path) -> None:
    (web_dir / "app.js").write_text("export let count = 0;\nimport './a.js';\n")
    (web_dir / "a.js").write_text("")
    link = (await api.call("GET", "/")).headers["Link"]
    base = link[1 : link.index("app.js")]
    assert link == f"<{base}app.js>; rel=modulepreload, <{base}a.js>; rel=modulepreload"
    assert (await api.call("GET", f"{base}app.js")).text == "export let count = 0;\nimport './a.js';\n"


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Dest": "document"}


async def test_who_goes_to_an_unknown_address_with_a_browser_gets_the_page(api: Api) -> None:
    known = (await api.call("GET", "/")).headers["ETag"]
    for path, more in (("/nothing", {}), ("/r", {}), ("/rooms/1/no", {"If-None-Match": known})):
        answer = await api.call("GET", path, headers=BROWSER | more)
        assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html")
        assert answer.text.startswith("<!doctype html>")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'; connect-src")
    older = await api.call("GET", "/nothing", headers={"Accept": "text/html"})
    assert (older.status, older.headers["Content-Type"]) == (404, "text/html")
    head = await api.call("HEAD", "/nothing", headers=BROWSER)
    assert (head.status, head.headers["Content-Type"], head.text) == (404, "text/html", "")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/nothing", {}),
        ("GET", "/nothing", {"Accept": "application/json"}),
        ("GET", "/nothing", BROWSER | {"Sec-Fetch-Dest": "script"}),
        ("POST", "/nothing", BROWSER),
        ("GET", "/static/none.js", BROWSER),
    ],
)
async def test_everybody_else_gets_a_problem(
    api: Api, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = await api.call(method, path, headers=headers)
    assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")


async def test_a_room_of_the_api_is_never_the_page(api: Api) -> None:
    answer = await api.call(
        "GET", "/rooms/0190c0de-0000-7000-8000-000000000001", headers={"Accept": "text/html"}
    )
    assert answer.status == 401


async def test_a_file_is_kept_and_asked_about(api: Api) -> None:
    first = await api.call("GET", "/static/app.js")
    assert (first.status, first.text) == (200, "export {}\n")
    assert first.headers["Content-Type"] in ("text/javascript", "application/javascript")
    assert first.headers["Cache-Control"] == "no-cache"
    again = await api.call("GET", "/static/app.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


async def test_only_files_of_the_page_are_served(api: Api, web_dir: Path) -> None:
    (web_dir / "folder").mkdir()
    (web_dir / "link").symlink_to("/etc/passwd")
    (web_dir / "way").symlink_to(web_dir / "app.js")
    assert (await api.call("GET", "/")).status == 200  # and has looked at all of them
    assert (await api.call("GET", "/static/way")).status == 200
    for path in (
        "/static/",
        "/static/folder",
        "/static/folder/",
        "/static/link",
        "/static/%2Fetc%2Fpasswd",
        "/static/%00",
    ):
        assert (await api.call("GET", path)).status == 404


async def test_the_page_may_load_its_own_and_nothing_else(api: Api) -> None:
    answer = await api.call("GET", "/")
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'self'; connect-src 'self' ws://127.0.0.1:8082; img-src 'self' data: blob:; "
        "media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )


@pytest.mark.parametrize(
    ("host", "ws_url"),
    [
        ("study.example.org", "ws://study.example.org:8082"),
        ("study.example.org:8080", "ws://study.example.org:8082"),
        ("[::1]:8080", "ws://[::1]:8082"),
        ("192.0.2.7", "ws://192.0.2.7:8082"),
        # What a browser never sends, and what would say more in a policy.
        ("a; script-src *", "ws://localhost:8082"),
        ("a b", "ws://localhost:8082"),
        ("user@host", "ws://localhost:8082"),
        ("", "ws://localhost:8082"),
    ],
)
async def test_the_websocket_is_at_the_host_that_was_asked(api: Api, host: str, ws_url: str) -> None:
    answer = await api.call("GET", "/config.json", headers={"Host": host})
    assert answer.json == {"ws_url": ws_url}
    policy = (await api.call("GET", "/", headers={"Host": host})).headers["Content-Security-Policy"]
    assert f"connect-src 'self' {ws_url};" in policy
    assert "script-src" not in policy


async def test_the_websocket_can_be_elsewhere(web_dir: Path) -> None:
    config = load(
        Config,
        {
            "GATEWAY_PORT": "0",
            "GATEWAY_WEB_DIR": str(web_dir),
            "ROOMS_WS_URL": "wss://study.example.org/live/",
        },
    )
    async with (
        serve(config) as server,
        aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session,
    ):
        api = Api(session, server.port)
        assert (await api.call("GET", "/config.json")).json == {"ws_url": "wss://study.example.org/live"}
        policy = (await api.call("GET", "/")).headers["Content-Security-Policy"]
    # Without the path: a policy's path would have to match exactly.
    assert "connect-src 'self' wss://study.example.org;" in policy


async def test_a_page_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"GATEWAY_WEB_DIR=.*none is no folder"):
        async with running_gateway(web_dir=str(tmp_path / "none")):
            pytest.fail("it started")
    async with (
        running_gateway(web_dir=str(tmp_path)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        assert (await Api(session, port).call("GET", "/")).status == 404


@pytest.mark.parametrize(
    "url", ["study.example.org", "http://x", "ws://a b", "ws://a;script-src *", "ws://", "ws://a?b"]
)
def test_a_websocket_address_that_is_none(url: str) -> None:
    with pytest.raises(ConfigError, match="ROOMS_WS_URL must look like wss://"):
        load(Config, {"ROOMS_WS_URL": url})


async def test_a_file_is_gzipped_for_who_takes_it(api: Api, web_dir: Path) -> None:
    text = "export const lots = 1;\n" * 200
    (web_dir / "app.js").write_text(text)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{api.port}", auto_decompress=False) as session:

        async def get(accepted: str, known: str = "", path: str = "app.js") -> aiohttp.ClientResponse:
            headers = {"Accept-Encoding": accepted} | ({"If-None-Match": known} if known else {})
            answer = await session.get(f"/static/{path}", headers=headers)
            await answer.read()
            return answer

        packed, plain = await get("br, gzip"), await get("identity")
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await packed.read()).decode() == text == (await plain.read()).decode()
        assert len(await packed.read()) < len(text) / 10
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
        for refused in ("", "br", "gzip;q=0", "gzip; q=0.000", "*"):
            assert "Content-Encoding" not in (await get(refused)).headers
        for taken in ("gzip;q=0.5", "x-gzip", "GZIP, br", "identity;q=0.5, gzip"):
            assert (await get(taken)).headers["Content-Encoding"] == "gzip"
        # Each encoding has a tag of its own, and only that one is the same.
        tags = packed.headers["ETag"], plain.headers["ETag"]
        assert tags[0] != tags[1]
        assert (await get("gzip", tags[0])).status == 304
        assert (await get("gzip", f'"other", W/{tags[0]}')).status == 304
        assert (await get("gzip", tags[1])).status == 200
        assert (await get("identity", tags[1])).status == 304
        # What is packed already is not packed again, and a page in memory is not an old one.
        (web_dir / "noise.bin").write_bytes(b"noise")
        assert "Content-Encoding" not in (await get("gzip", path="noise.bin")).headers
        (web_dir / "app.js").write_text("export {}\n")
        changed = await get("gzip", tags[0])
        assert (changed.status, await changed.read()) == (200, b"export {}\n")


async def test_head_has_no_body(api: Api) -> None:
    answer = await api.call("HEAD", "/static/app.js", headers={"Accept-Encoding": "identity"})
    assert (answer.status, answer.text, answer.headers["Content-Length"]) == (200, "", "10")
