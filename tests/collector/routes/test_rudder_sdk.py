"""What RudderStack's browser SDK asks and sends, by itself; the SDK does it in `tests/senders/`."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import CollectorParts
from collector.sites import Site
from tests.collector.away import AWAY
from tests.collector.collector_parts import client_of, kept_rows, running_parts
from tests.collector.messages import message

Client = AsyncTestClient[Litestar]
PAGE = "https://shop.example"
AUTH = {"Authorization": "Basic " + base64.b64encode(b"shop-key:").decode()}


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/sourceConfig/?p=npm&writeKey=shop-key", {}), ("/sourceConfig?writeKey=shop-key", {}), ("/sourceConfig", AUTH)],
)
async def test_the_source_is_enabled_and_has_no_destinations(
    client: Client, path: str, headers: dict[str, str]
) -> None:
    reply = await client.get(path, headers={"Origin": PAGE, **headers})
    source = reply.json()["source"]
    assert (reply.status_code, source["enabled"], source["destinations"]) == (200, True, [])
    assert source["config"]["statsCollection"] == {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    assert reply.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize(("query", "code"), [("writeKey=wrong", "unknown_write_key"), ("", "unknown_write_key")])
async def test_a_source_of_no_site_is_refused(client: Client, query: str, code: str) -> None:
    reply = await client.get(f"/sourceConfig/?{query}", headers={"Origin": PAGE})
    assert (reply.status_code, reply.json()["code"]) == (401, code)
    assert reply.headers["access-control-allow-origin"] == PAGE


async def test_a_server_key_is_no_key_for_pages(tmp_path: Path) -> None:
    site = Site("shop", "shop-key", server_keys=("server-key",))
    async with running_parts(tmp_path, AWAY, sites=(site,)) as parts, client_of(parts) as client:
        reply = await client.get("/sourceConfig/?writeKey=server-key")
    assert (reply.status_code, reply.json()["code"]) == (403, "server_key_exposed")


async def test_a_beacon_has_its_key_in_the_address(client: Client, parts: CollectorParts) -> None:
    body = {"batch": [message()], "sentAt": "2026-11-22T12:00:00.000Z"}
    headers = {"Content-Type": "text/plain", "Origin": PAGE}
    reply = await client.post("/beacon/v1/batch?writeKey=shop-key", json=body, headers=headers)
    assert reply.status_code == 200
    assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
    assert [row.event_id for row in await kept_rows(parts)] == ["m-1"]


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        ("anonymousid,authorization,content-type,sentat", True),
        ("anonymousid,authorization,content-type,rsa-retry-attempt,rsa-since-first-attempt,rsa-recovered,sentat", True),
        ("rsa-something-new", True),
        ("rsa-", False),
        ("rsa-é", False),
        ("x-rsa-retry", False),
    ],
)
async def test_a_page_may_send_the_headers_of_the_sdk(client: Client, headers: str, *, may: bool) -> None:
    asked = {
        b"Origin": PAGE.encode(),
        b"Access-Control-Request-Method": b"POST",
        b"Access-Control-Request-Headers": headers.encode("latin-1"),
    }
    reply = await client.options("/v1/track", headers=asked)
    assert reply.status_code == (204 if may else 400)
    allowed = reply.headers.get("access-control-allow-headers", "").split(", ")
    assert set(headers.split(",")) <= set(allowed) or not may
