"""What pages of other origins may send and read."""

from __future__ import annotations

from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.collector.collector_parts import SHOP, STRICT, client_of, running_parts
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
