"""The server key: who holds it is believed, and it is refused where others could see it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import CollectorParts
from tests.collector.away import AWAY
from tests.collector.collector_parts import SHOP, kept_rows, running_parts
from tests.collector.messages import message, props

Client = AsyncTestClient[Litestar]
KEY: Final = "mms_the-current-server-key"
BEFORE: Final = "mms_the-server-key-before"
SITE: Final = msgspec.structs.replace(SHOP, server_keys=(KEY, BEFORE), origins=("https://shop.example",))
BOUNCE: Final = message(event="email_bounced", properties={"kind": "hard"})


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[CollectorParts]:
    async with running_parts(tmp_path, AWAY, sites=(SITE,)) as parts:
        yield parts


@pytest.mark.parametrize("key", [KEY, BEFORE])
@pytest.mark.parametrize("place", ["basic", "header", "body"])
async def test_its_holder_says_what_pages_may_not(client: Client, parts: CollectorParts, key: str, place: str) -> None:
    headers = {"basic": basic(key), "header": {"X-Write-Key": key}, "body": {}}[place]
    body = {"batch": [BOUNCE], **({"writeKey": key} if place == "body" else {})}
    reply = await client.post("/v1/batch", json=body, headers=headers)
    assert reply.json() == {"success": True}
    assert [row.event for row in await kept_rows(parts)] == ["email_bounced"]


async def test_a_page_that_says_it_is_told_why_it_was_not_kept(client: Client, parts: CollectorParts) -> None:
    reply = await client.post("/v1/batch", json={"writeKey": "shop-key", "batch": [BOUNCE]})
    assert reply.json()["dropped"] == [
        {
            "messageId": "m-1",
            "reason": "reserved",
            "detail": "email_bounced is reserved: send it with the site's server key",
        }
    ]
    sample = parts.metrics.registry.get_sample_value
    assert sample("micromoment_events_dropped_total", {"site": "shop", "reason": "reserved"}) == 1


@pytest.mark.parametrize(
    "exposed",
    [
        pytest.param({"headers": {"Origin": "https://shop.example"}}, id="a page of the shop"),
        pytest.param({"headers": {"Origin": "null"}}, id="a page without an origin"),
        pytest.param({"headers": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}}, id="a browser"),
        pytest.param({"params": {"writeKey": KEY}}, id="the address"),
        pytest.param({"params": {"writeKey": KEY, "a": "1"}}, id="the address, too"),
    ],
)
async def test_where_others_see_it_it_is_refused_with_the_remedy(
    client: Client, parts: CollectorParts, exposed: dict[str, Any]
) -> None:
    in_address = "params" in exposed
    body = {"batch": [message()], **({} if in_address else {"writeKey": KEY})}
    reply = await client.post("/v1/batch", json=body, **exposed)
    assert (reply.status_code, reply.json()["code"]) == (403, "server_key_exposed")
    assert "replace the key" in reply.json()["message"]
    assert KEY not in reply.text
    assert await kept_rows(parts) == []


async def test_a_server_whose_fetch_says_a_mode_is_no_page(client: Client) -> None:
    """Node's own `fetch` sends this header; only a browser says where a request comes from."""
    reply = await client.post(
        "/v1/batch", json={"batch": [message()]}, headers={**basic(KEY), "Sec-Fetch-Mode": "cors"}
    )
    assert (reply.status_code, reply.json()) == (200, {"success": True})


@pytest.mark.parametrize("key", ["mms_", KEY[:-1], f"{KEY} ", KEY.upper(), f" {KEY}", "shop-key "])
async def test_what_is_nearly_the_key_is_none(client: Client, key: str) -> None:
    reply = await client.post("/v1/batch", json={"batch": [message()], "writeKey": key})
    assert (reply.status_code, reply.json()["code"]) == (401, "unknown_write_key")


async def test_a_stranger_uses_up_no_id_of_the_shops_events(client: Client, parts: CollectorParts) -> None:
    """Pages choose ids of messages, and may guess those of the shop's server: its order is no repeat of theirs."""
    order = {"event": "purchase", "messageId": "order-17"}
    strangers = message(anonymousId="stranger", **order)
    genuine = message(anonymousId=None, userId="ada", properties={"value": 80}, **order)
    await client.post("/v1/batch", json={"writeKey": "shop-key", "batch": [strangers]})
    for dropped in ([], ["duplicate"]):
        reply = await client.post("/v1/batch", json={"batch": [genuine]}, headers=basic(KEY))
        assert [drop["reason"] for drop in reply.json().get("dropped", [])] == dropped
    assert [(row.visitor_id, row.value) for row in await kept_rows(parts)] == [("stranger", None), ("ada", 80.0)]


async def test_what_the_server_tells_of_a_person_says_that_it_vouches_for_it(
    client: Client, parts: CollectorParts
) -> None:
    sent = message(type="identify", event=None, userId="ada", traits={"email": "ada@example.com"})
    await client.post("/v1/batch", json={"batch": [sent]}, headers=basic(KEY))
    (row,) = await kept_rows(parts)
    assert props(row) == {"traits": {"email": "ada@example.com"}, "proven_by": "server"}
