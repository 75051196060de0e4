"""The gateway's figures: requests by route, errors by code; and nothing that a stranger can make up."""

from pathlib import Path

import aiohttp

from common.errors import NotFound
from dev.ports import free_port, free_row
from tests import figures
from tests.auth.running import Caller
from tests.gateway.running import Api, RecordedRooms, running_gateway
from tests.gateway.test_processes import started
from tests.gateway.test_workers import answers, settings, until_ready


async def test_requests_by_route_and_errors_by_code(
    auth: Caller, rooms: RecordedRooms, web_dir: Path
) -> None:
    listen = f"127.0.0.1:{free_port()}"
    async with (
        running_gateway(
            auth=auth.address, rooms=rooms.address, web_dir=str(web_dir), metrics_listen=listen
        ) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        figures.page(listen) as page,
    ):
        api = Api(session, port)
        await api.register()
        rooms.answer = NotFound("There is no such room.", code="ROOM_NOT_FOUND")
        for _ in range(2):
            await api.call("GET", "/rooms/8a5b0b2e-0000-4000-8000-000000000001")
        for number in range(3):
            await api.call("PROPFIND", f"/made/up/{number}")
        assert (await api.call("GET", "/metrics")).status == 404

        found = await page.until(lambda found: found("cwrk_http_errors_total", code="NOT_FOUND") == 4)
        assert found("cwrk_http_requests_total", route="/auth/register", method="POST", status="201") == 1
        assert found("cwrk_http_requests_total", route="/rooms/{id}", method="GET", status="404") == 2
        assert found("cwrk_http_seconds_count", route="/rooms/{id}", method="GET") == 2
        assert found("cwrk_http_errors_total", code="ROOM_NOT_FOUND") == 2
        assert found("cwrk_http_requests_total", route="nowhere", method="any", status="404") == 4
        assert found.values_of("cwrk_http_requests_total", "method") == {"GET", "POST", "any"}


async def test_each_worker_has_a_page(web_dir: Path) -> None:
    port, first = free_port(), free_row(2)
    its_own = {**settings(port, web_dir), "METRICS_LISTEN": f"127.0.0.1:{first}"}
    async with started("gateway", **its_own) as service:
        await until_ready(service, 2)
        for listen in (f"127.0.0.1:{first}", f"127.0.0.1:{first + 1}"):
            async with figures.page(listen) as page:
                assert (await page()).values_of("cwrk_build_info", "service") == {"gateway"}
        assert await answers(port)
        assert await service.stop() == 0
