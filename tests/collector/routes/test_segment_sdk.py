"""What Segment's browser SDK asks and sends, by itself; the SDK does it in `tests/senders/`."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import CallbackSettings, CollectorParts
from collector.routes.sdk_paths import CALLED_BY_PAGES, TYPE_OF_LETTER
from collector.sites import Site
from tests.collector.away import AWAY
from tests.collector.collector_parts import SHOP, STRICT, client_of, kept_rows, running_parts
from tests.collector.messages import message

Client = AsyncTestClient[Litestar]
PAGE = "https://shop.example"
AUTH = {"Authorization": "Basic " + base64.b64encode(b"shop-key:").decode(), "Content-Type": "text/plain"}
WITH_SERVER = Site("shop", "shop-key", server_keys=("server-key",))


def destination(reply: Response) -> Any:
    (only,) = reply.json()["integrations"].values()
    return only


@pytest.mark.parametrize("base", ["", "/v1"])
@pytest.mark.parametrize("letter", TYPE_OF_LETTER)
async def test_the_letter_of_a_path_is_the_type(client: Client, parts: CollectorParts, base: str, letter: str) -> None:
    sent = message(type="page", userId="ada", previousId="before")
    reply = await client.post(f"{base}/{letter}", json=sent, headers=AUTH)
    assert reply.status_code == 200
    assert [row.type for row in await kept_rows(parts)] == [TYPE_OF_LETTER[letter]]


@pytest.mark.parametrize("path", ["/b", "/v1/b", "/v1/b/", "/v1/import"])
async def test_a_batch_has_a_short_path_too(client: Client, parts: CollectorParts, path: str) -> None:
    reply = await client.post(path, json={"writeKey": "shop-key", "batch": [message()]})
    assert reply.status_code == 200
    assert [row.event_id for row in await kept_rows(parts)] == ["m-1"]


@pytest.mark.parametrize("path", ["/m", "/v1/m"])
async def test_figures_of_the_sdk_are_counted_and_are_no_events(
    client: Client, parts: CollectorParts, path: str
) -> None:
    series = [{"type": "Counter", "metric": "analytics_js.invoke", "value": 1, "tags": {}}]
    reply = await client.post(path, json={"series": series}, headers={"Content-Type": "text/plain"})
    assert (reply.status_code, reply.json()) == (200, {"success": True})
    assert await kept_rows(parts) == []
    assert parts.metrics.registry.get_sample_value("micromoment_sdk_figures_total") == 1


@pytest.mark.parametrize(
    ("public_url", "told"),
    [
        ("https://collector.example", {"apiHost": "collector.example/v1", "protocol": "https"}),
        ("http://localhost:8000", {"apiHost": "localhost:8000/v1", "protocol": "http"}),
        ("https://shop.example/mm", {"apiHost": "shop.example/mm/v1", "protocol": "https"}),
        ("", {}),
    ],
)
async def test_the_settings_name_this_collector_as_the_only_destination(
    tmp_path: Path, public_url: str, told: dict[str, str]
) -> None:
    callbacks = CallbackSettings(public_url)
    async with running_parts(tmp_path, AWAY, callbacks=callbacks) as parts, client_of(parts) as client:
        reply = await client.get("/v1/projects/shop-key/settings", headers={"Origin": PAGE})
    said = destination(reply)
    assert said["apiKey"] == "shop-key"
    assert {name: said[name] for name in ("apiHost", "protocol") if name in said} == told
    assert reply.json()["metrics"] == {"sampleRate": 0}
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert reply.headers["cache-control"] == "private, max-age=300"


async def test_settings_for_a_key_of_no_site_are_refused_in_words_that_the_page_can_read(client: Client) -> None:
    reply = await client.get("/v1/projects/wrong/settings", headers={"Origin": PAGE})
    assert (reply.status_code, reply.json()["code"]) == (401, "unknown_write_key")
    assert reply.headers["access-control-allow-origin"] == PAGE


async def test_a_page_of_another_origin_is_told_no_settings(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY, sites=(SHOP, STRICT)) as parts, client_of(parts) as client:
        reply = await client.get("/v1/projects/strict-key/settings", headers={"Origin": PAGE})
    assert (reply.status_code, reply.json()["code"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in reply.headers


async def test_a_server_key_in_the_address_of_the_settings_is_told_to_be_exposed(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY, sites=(WITH_SERVER,)) as parts, client_of(parts) as client:
        reply = await client.get("/v1/projects/server-key/settings")
    assert (reply.status_code, reply.json()["code"]) == (403, "server_key_exposed")


@pytest.mark.parametrize("path", sorted(CALLED_BY_PAGES))
async def test_a_page_may_ask_to_send_with_authorization(client: Client, path: str) -> None:
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count",
    }
    reply = await client.options(path, headers=asked)
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (204, PAGE)
    assert int(reply.headers["access-control-max-age"]) >= 600


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ({"anonymousId": "a", "userId": None}, ("a", "")),
        ({"anonymousId": None, "userId": "ada"}, ("", "ada")),
        ({"anonymousId": "a", "userId": 42}, ("a", "42")),
        ({"anonymousId": 7.0, "userId": 42.0}, ("7", "42")),
        ({"anonymousId": 7, "userId": ""}, ("7", "")),
    ],
)
async def test_ids_may_be_null_and_numbers(tmp_path: Path, fields: dict[str, Any], ids: tuple[str, str]) -> None:
    async with running_parts(tmp_path, AWAY, sites=(WITH_SERVER,)) as parts, client_of(parts) as client:
        sent = {"type": "track", "event": "Quiz Done", "messageId": "m-1", **fields}
        reply = await client.post("/v1/batch", json={"writeKey": "server-key", "batch": [sent]})
        assert reply.json() == {"success": True}
        (row,) = await kept_rows(parts)
    assert (row.anonymous_id, row.user_id) == ids


async def test_the_context_of_a_batch_is_that_of_its_messages_and_theirs_wins(
    client: Client, parts: CollectorParts
) -> None:
    shared = {"locale": "de-AT", "campaign": {"source": "news"}, "ip": "192.0.2.7", "traits": {"email": "a@b.example"}}
    own = message(messageId="m-2", context={"locale": "fr-FR"}, integrations={"All": False})
    batch = {"writeKey": "shop-key", "context": shared, "integrations": {"All": False}, "batch": [message(), own]}
    assert (await client.post("/v1/b", json=batch)).status_code == 200
    rows = await kept_rows(parts)
    assert [(row.locale, row.utm_source) for row in rows] == [("de-AT", "news"), ("fr-FR", "news")]
    assert not [row for row in rows if "192.0.2" in str(row) or "a@b" in str(row)]
