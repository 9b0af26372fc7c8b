"""What pages of other origins may send and read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.banners.stream_token import StreamTokens
from collector.sites import Site
from tests.collector.away import AWAY
from tests.collector.collector_parts import SHOP, STRICT, client_of, running_parts
from tests.collector.messages import NOON, message
from warehouse.connection import Warehouse

Client = AsyncTestClient[Litestar]
PAGE = "https://shop.example"


@pytest.mark.parametrize(
    ("method", "headers", "refused"),
    [
        ("POST", "content-type", ""),
        ("GET", "Authorization, X-Write-Key ,", ""),
        ("", "", ""),
        ("DELETE", "", "method"),
        ("POST", "x-forged", "headers"),
        ("PUT", "content-type, x-forged", "method, headers"),
    ],
)
async def test_a_page_may_do_what_the_collector_has_a_use_for(
    client: Client, method: str, headers: str, refused: str
) -> None:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    reply = await client.options("/v1/batch", headers={"Origin": PAGE, **{k: v for k, v in asked.items() if v}})
    assert reply.status_code == (400 if refused else 204)
    assert reply.text == (f"Disallowed CORS {refused}" if refused else "")
    assert ("access-control-allow-origin" in reply.headers) is not bool(refused)


async def test_a_page_of_another_origin_may_not_ask(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    async with running_parts(tmp_path, embedded_warehouse, sites=(STRICT,)) as parts, client_of(parts) as client:
        reply = await client.options("/v1/batch", headers={"Origin": PAGE})
        assert (reply.status_code, reply.text) == (400, "Disallowed CORS Origin")
        answered = await client.get("/healthz", headers={"Origin": PAGE})
        assert answered.status_code == 200
        assert "access-control-allow-origin" not in answered.headers


async def test_one_site_that_allows_every_page_lets_every_page_read(
    tmp_path: Path, embedded_warehouse: Warehouse
) -> None:
    async with running_parts(tmp_path, embedded_warehouse, sites=(STRICT, SHOP)) as parts, client_of(parts) as client:
        for origin in (PAGE, "https://strict.example"):
            reply = await client.get("/healthz", headers={"Origin": origin})
            assert reply.headers["access-control-allow-origin"] == origin


async def test_a_request_without_an_origin_is_answered_as_ever(client: Client) -> None:
    reply = await client.get("/healthz")
    assert not [name for name in reply.headers if name.startswith("access-control")]
    options = await client.options("/v1/batch")
    assert (options.status_code, options.headers["allow"]) == (204, "OPTIONS, POST")


async def test_what_an_answer_depends_on_besides_is_not_overwritten(client: Client) -> None:
    reply = await client.get("/mm.js", headers={"Origin": PAGE, "Accept-Encoding": "identity"})
    assert set(reply.headers.get_list("vary")) == {"Accept-Encoding", "Origin"}


OTHER = Site("other", "other-key", origins=("https://other.example",))
FRIEND = "https://other.example"


@asynccontextmanager
async def two_sites(folder: Path) -> AsyncIterator[Client]:
    async with running_parts(folder, AWAY, sites=(STRICT, OTHER)) as parts, client_of(parts) as client:
        yield client


@pytest.mark.parametrize("origin", [FRIEND, "https://evil.example", "null"])
async def test_a_page_that_may_send_for_one_site_reads_nothing_of_another(tmp_path: Path, origin: str) -> None:
    async with two_sites(tmp_path) as client:
        sent = {"writeKey": STRICT.write_key, "batch": [message()]}
        refused = await client.post("/v1/batch", json=sent, headers={"Origin": origin})
        assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
        token = StreamTokens(b"secret").issue(STRICT.name, "somebody", NOON)
        asked = {"Origin": origin, "Authorization": f"Bearer {token}x"}
        listening = await client.get("/v1/stream", headers=asked)
        assert listening.status_code == 401
        for reply in (refused, await _listen_for_a_moment(client, token, origin)):
            assert "access-control-allow-origin" not in reply.headers
            assert STRICT.origins[0] not in str(reply.headers)


async def test_a_page_reads_the_answer_for_its_own_site(tmp_path: Path) -> None:
    async with two_sites(tmp_path) as client:
        for site, origin in ((STRICT, STRICT.origins[0]), (OTHER, FRIEND)):
            sent = {"writeKey": site.write_key, "batch": []}
            reply = await client.post("/v1/batch", json=sent, headers={"Origin": origin})
            assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (200, origin)


async def test_what_a_page_hears_before_its_key_is_known_tells_no_origin_of_any_site(tmp_path: Path) -> None:
    async with two_sites(tmp_path) as client:
        for path in ("/v1/batch", "/v1/stream", "/mm.js"):
            asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
            answers = [
                await client.options(path, headers={"Origin": origin, **asked})
                for origin in (STRICT.origins[0], FRIEND, "https://evil.example")
            ]
            assert len({answer.status_code for answer in answers}) == 1
            assert all("strict.example" not in str(answer.headers) for answer in answers[1:])


@pytest.mark.parametrize(("origin", "status"), [(STRICT.origins[0], 204), (FRIEND, 400), ("https://evil.example", 400)])
async def test_a_page_that_tells_its_key_in_the_address_is_answered_for_that_site(
    tmp_path: Path, origin: str, status: int
) -> None:
    async with two_sites(tmp_path) as client:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        reply = await client.options(f"/v1/batch?writeKey={STRICT.write_key}", headers=asked)
        assert reply.status_code == status
        assert ("access-control-allow-origin" in reply.headers) is (status == 204)


async def test_a_wrong_key_can_be_read_by_the_page_that_uses_it(tmp_path: Path) -> None:
    async with two_sites(tmp_path) as client:
        reply = await client.post("/v1/batch", json={"writeKey": "?", "batch": []}, headers={"Origin": PAGE})
        assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (401, PAGE)


@pytest.mark.parametrize("path", ["/readyz", "/v1/u/x", "/v1/c/x", "/v1/o/x", "/v1/callbacks/email", "/nowhere"])
async def test_what_no_page_of_a_shop_needs_no_page_reads(tmp_path: Path, path: str) -> None:
    async with two_sites(tmp_path) as client:
        for origin in (STRICT.origins[0], FRIEND):
            assert "access-control-allow-origin" not in (await client.get(path, headers={"Origin": origin})).headers


async def _listen_for_a_moment(client: Client, token: str, origin: str) -> Response:
    """Return the beginning of the answer to a page that listens."""
    begun: dict[str, Any] = {}

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        if event["type"] == "http.response.start":
            begun.update(event)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/stream",
        "raw_path": b"/v1/stream",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"origin", origin.encode()), (b"authorization", f"Bearer {token}".encode())],
        "scheme": "http",
        "client": ("192.0.2.1", 1),
        "server": ("testserver", 80),
        "http_version": "1.1",
        "extensions": {},
    }
    await cast(Any, client.app)(scope, receive, send)
    return Response(begun["status"], headers=[(k.decode(), v.decode()) for k, v in begun["headers"]])
