from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest
import structlog.testing
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.app import describe_api
from collector.parts import CollectorParts
from tests.collector.collector_parts import SDK, SHOP, STRICT, client_of, running_parts
from tests.collector.messages import message
from warehouse.connection import Warehouse

Client = AsyncTestClient[Litestar]
PAGE = "https://shop.example"
#: What the SDKs of Segment, RudderStack and Jitsu, and ours, send along.
HEADERS = "authorization, content-type, content-encoding, x-write-key, x-retry-count, anonymousid, sentat"


def preflight(origin: str, method: str = "POST", headers: str = HEADERS) -> dict[str, str]:
    return {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track", "/v1/identify"])
async def test_a_page_of_any_origin_may_ask_first_when_a_site_allows_all(client: Client, path: str) -> None:
    reply = await client.options(path, headers=preflight(PAGE))
    assert reply.status_code in {200, 204}
    assert reply.headers["access-control-allow-origin"] in {PAGE, "*"}
    assert reply.headers["access-control-allow-credentials"] == "true"
    assert int(reply.headers["access-control-max-age"]) >= 600
    allowed = {header.strip() for header in reply.headers["access-control-allow-headers"].lower().split(",")}
    assert set(HEADERS.split(", ")) <= allowed
    assert "POST" in reply.headers["access-control-allow-methods"]


async def test_the_origin_is_mirrored_so_that_credentials_may_come_along(client: Client) -> None:
    sent = {"writeKey": "shop-key", "batch": [message()]}
    for headers in ({"Origin": PAGE, "Cookie": "session=1"}, {"Origin": PAGE}):
        reply = await client.post("/v1/batch", json=sent, headers=headers)
        assert reply.headers["access-control-allow-origin"] == PAGE
        assert reply.headers["access-control-allow-credentials"] == "true"
        assert "origin" in reply.headers["vary"].lower()
    reply = await client.options("/v1/batch", headers=preflight(PAGE))
    assert reply.headers["access-control-allow-origin"] == PAGE


async def test_only_configured_origins_may_read_the_reply(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    async with running_parts(tmp_path, embedded_warehouse, sites=(STRICT,)) as parts, client_of(parts) as client:
        allowed = await client.options("/v1/batch", headers=preflight("https://strict.example"))
        assert allowed.headers["access-control-allow-origin"] == "https://strict.example"
        refused = await client.options("/v1/batch", headers=preflight("https://evil.example"))
        assert "access-control-allow-origin" not in refused.headers


async def test_an_error_can_be_read_by_the_page_too(client: Client) -> None:
    reply = await client.post("/v1/batch", content=b"{", headers={"Origin": PAGE})
    assert reply.status_code == 400
    assert reply.headers["access-control-allow-origin"] == PAGE


async def test_a_page_may_read_how_long_to_wait(client: Client) -> None:
    reply = await client.post("/v1/batch", json={"batch": []}, headers={"Origin": PAGE})
    assert "retry-after" in reply.headers["access-control-expose-headers"].lower()


async def test_the_api_is_described() -> None:
    description = msgspec.json.decode(describe_api(SDK, "/mm.js", "1.2.3"))
    assert description["info"]["version"] == "1.2.3"
    expected = {"/v1/batch", "/v1/track", "/v1/identify", "/v1/page", "/v1/screen", "/v1/group", "/v1/alias"}
    expected |= {"/v1/stream", "/healthz", "/readyz", "/mm.js", "/mm-banner.js"}
    assert expected <= set(description["paths"])


@pytest.mark.parametrize("path", ["/metrics", "/schema", "/schema/openapi.json", "/schema/swagger", "/admin/status"])
async def test_what_is_for_operators_is_not_at_the_public_port(client: Client, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_the_front_page_says_what_this_is_and_loads_nothing(client: Client) -> None:
    reply = await client.get("/")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    assert "Micromoment collector" in reply.text
    assert not {"src=", "href=", "<script"} & set(reply.text.split())
    assert "http" not in reply.text.replace("docs/http.md", "")


async def test_a_mistake_of_ours_is_answered_logged_and_counted_and_repeats_nothing_that_was_sent(
    parts: CollectorParts,
) -> None:
    def broken() -> int:
        raise KeyError("ada@example.org")

    broken_parts = msgspec.structs.replace(parts, now_ms=broken)
    async with client_of(broken_parts) as client:
        with structlog.testing.capture_logs() as logs:
            reply = await client.post("/v1/batch", json={"writeKey": "shop-key", "batch": [message()]})
    assert (reply.status_code, reply.json()["code"]) == (500, "internal_error")
    (line,) = logs
    assert (line["event"], line["error"]) == ("request_failed", "KeyError")
    assert any("test_app.py" in place for place in line["at"])
    assert "ada@" not in str(line) + reply.text
    count = parts.metrics.registry.get_sample_value
    assert count("micromoment_requests_refused_total", {"code": "internal_error"}) == 1


async def test_sites_are_told_apart_by_their_write_keys(parts: CollectorParts, client: Client) -> None:
    assert parts.sites.with_key("shop-key") == SHOP
    assert parts.sites.with_key("strict-key") == STRICT
    for wrong in ("", "shop", "shop-keys", "SHOP-KEY", "\u00e9"):
        assert parts.sites.with_key(wrong) is None
    basic = base64.b64encode("\u00e9:".encode()).decode()
    reply = await client.post("/v1/batch", json={"batch": []}, headers={"Authorization": f"Basic {basic}"})
    assert reply.status_code == 401
