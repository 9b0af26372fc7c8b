"""The routes of PostHog's SDKs: every form of a request that they send, and the answers that they understand."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import Bounds, CollectorParts
from collector.rate import RateLimit
from collector.routes.posthog import CONFIG
from collector.sites import Site
from tests.collector.collector_parts import STRICT, client_of, kept_rows, running_parts
from tests.collector.journals import full_journal
from tests.collector.messages import NOON
from warehouse.connection import Warehouse
from warehouse.event import format_time
from warehouse.limits import MAX_BODY_BYTES, MAX_EVENTS_PER_BATCH

Client = AsyncTestClient[Litestar]
SHOP = Site("shop", "shop-key", server_keys=("mms_shop",), identity="required")
PATHS = ("/e", "/batch", "/capture", "/track", "/engage", "/i/v0/e")
V1 = "/i/v1/analytics/events"


@pytest.fixture
async def parts(tmp_path: Path, embedded_warehouse: Warehouse) -> Any:
    async with running_parts(tmp_path, embedded_warehouse, sites=(SHOP, STRICT)) as made:
        yield made


@pytest.fixture
async def client(parts: CollectorParts) -> Any:
    async with client_of(parts) as client:
        yield client


def event(uuid: str = "u1", **fields: Any) -> dict[str, Any]:
    return {"event": "quiz_done", "distinct_id": "d1", "uuid": uuid, "properties": {"score": 7}, **fields}


def as_form(value: Any) -> bytes:
    return b"data=" + quote(base64.b64encode(msgspec.json.encode(value))).encode()


def batch(*events: Any, **fields: Any) -> dict[str, Any]:
    return {"api_key": "shop-key", "sent_at": "2026-11-22T12:00:00.000Z", "batch": list(events), **fields}


ONE = {**event(), "api_key": "shop-key"}
BODIES = {
    "a batch": msgspec.json.encode(batch(event())),
    "a batch by token": msgspec.json.encode({"token": "shop-key", "batch": [event()]}),
    "a list": msgspec.json.encode([{**event(), "token": "shop-key"}]),
    "a list with the token inside": msgspec.json.encode([event(properties={"token": "shop-key"})]),
    "a batch with the token inside": msgspec.json.encode({"batch": [event(properties={"token": "shop-key"})]}),
    "one": msgspec.json.encode(ONE),
    "one of engage": msgspec.json.encode({"$token": "shop-key", "$distinct_id": "d1", "uuid": "u1", "$set": {"a": 1}}),
    "gzip": gzip.compress(msgspec.json.encode(batch(event()))),
    "a form": as_form(ONE),
    "a form of a list": as_form([{**event(), "token": "shop-key"}]) + b"&compression=base64",
    "a form of JSON": b"data=" + quote(msgspec.json.encode(ONE)).encode(),
    "a list after blanks": b" \n" + msgspec.json.encode([{**event(), "token": "shop-key"}]),
}


@pytest.mark.parametrize("path", [*PATHS, *(f"{path}/" for path in PATHS), "/e/?compression=gzip-js&ver=1&_=1"])
@pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
async def test_every_path_takes_a_batch(client: Client, parts: CollectorParts, path: str, content_type: str) -> None:
    reply = await client.post(path, content=BODIES["gzip"], headers={"Content-Type": content_type})
    assert (reply.status_code, reply.json()) == (200, {"status": 1, "success": True})
    assert [(row.event, row.event_id, row.visitor_id) for row in await kept_rows(parts)] == [("quiz_done", "u1", "~d1")]


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_every_form_of_a_body_is_read(
    client: Client, parts: CollectorParts, body: bytes, content_type: str
) -> None:
    for _ in range(2):
        reply = await client.post("/e/", content=body, headers={"Content-Type": content_type})
        assert (reply.status_code, reply.json()["status"]) == (200, 1)
    assert [(row.event_id, row.visitor_id) for row in await kept_rows(parts)] == [("u1", "~d1")]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[", b"7", b"null", b'"x"', b"\x1f\x8b", b"data=", b"data=%%%", b"data=7", b"\xff\xfe"),
        *(b'{"api_key": "shop-key", "batch": 7}', b'{"api_key": "shop-key", "batch": {}}'),
    ],
)
async def test_what_is_no_body_is_refused_for_good(client: Client, body: bytes) -> None:
    reply = await client.post("/e/", content=body)
    assert reply.status_code == 400
    assert reply.json()["code"] == "malformed"
    assert reply.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"api_key": "nobodys", "batch": [event()]},
        {"batch": [event()]},
        [event()],
        [],
        {"batch": []},
        {},
        [{**event(), "token": "shop-key"}, {**event(), "token": "strict-key"}],
        [{**event(), "token": {"a": 1}}],
        {**event(), "properties": {"token": 7}},
    ],
)
async def test_a_wrong_token_is_refused_for_good(client: Client, parts: CollectorParts, body: Any) -> None:
    for path in ("/e/", "/batch"):
        reply = await client.post(path, json=body)
        assert (reply.status_code, reply.json()["code"]) == (401, "unknown_write_key")
    large = msgspec.json.encode({"api_key": "nobodys", "batch": [event()] * 2000})
    assert (await client.post("/e/", content=large)).status_code == 401
    assert await kept_rows(parts) == []


async def test_a_server_sends_with_its_key_and_a_page_may_not(client: Client, parts: CollectorParts) -> None:
    assert (await client.post("/batch/", json=batch(event(), api_key="mms_shop"))).status_code == 200
    from_page = await client.post("/e/", json=batch(event("u2"), api_key="mms_shop"), headers={"Origin": "https://a.b"})
    assert (from_page.status_code, from_page.json()["code"]) == (403, "server_key_exposed")
    in_address = await client.get("/array/mms_shop/config")
    assert (in_address.status_code, in_address.json()["code"]) == (403, "server_key_exposed")
    assert [(row.visitor_id, row.user_id) for row in await kept_rows(parts)] == [("d1", "d1")]


async def test_each_event_that_is_not_kept_is_named(client: Client) -> None:
    events = [event("u1"), event("u2", event="$snapshot"), event("u3", distinct_id=""), 7, {"event": "x" * 200_000}]
    told = (await client.post("/batch/", json=batch(*events))).json()
    assert told["status"] == 1
    assert [(drop["messageId"], drop["reason"]) for drop in told["dropped"]] == [
        ("u2", "unsupported"),
        ("u3", "no_visitor"),
        ("", "malformed"),
        ("", "too_large"),
    ]


async def test_large_batches_are_read_and_larger_ones_refused(client: Client, parts: CollectorParts) -> None:
    many = [event(f"u{n}", properties={"note": "x" * 40}) for n in range(MAX_EVENTS_PER_BATCH + 2)]
    told = (await client.post("/batch/", json=batch(*many))).json()
    assert told["dropped"] == [{**drop, "reason": "too_many"} for drop in told["dropped"]]
    assert len(told["dropped"]) == 2
    assert len(await kept_rows(parts)) == MAX_EVENTS_PER_BATCH
    for body in (b"[" + b"{}," * 200_000 + b"{}]", b'{"api_key":"shop-key","batch":[' + b"{}," * 100_000 + b"{}]}"):
        refused = await client.post("/e/", content=gzip.compress(body))
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert (await client.post("/e/", content=b"[" * (MAX_BODY_BYTES + 1))).status_code == 413


async def test_a_clock_that_is_wrong_is_corrected_by_when_the_request_was_sent(
    client: Client, parts: CollectorParts
) -> None:
    late = {"timestamp": "2026-11-22T10:59:58.000Z"}
    await client.post("/e/", json=batch(event("u1", **late), sent_at="2026-11-22T11:00:00.000Z"))
    old = f"/e/?_={NOON - 3_600_000}"
    await client.post(old, json=[{**event("u2", timestamp=None, offset=2_000), "token": "shop-key"}])
    assert {row.ts for row in await kept_rows(parts)} == {format_time(NOON - 2_000)}


@pytest.mark.parametrize("path", [*PATHS, V1, "/flags/", "/s/"])
async def test_what_passes_is_answered_so_that_the_sdk_tries_again(
    tmp_path: Path, embedded_warehouse: Warehouse, path: str
) -> None:
    rate = RateLimit(1, 1)
    async with (
        running_parts(tmp_path, embedded_warehouse, sites=(SHOP,), rate=rate) as parts,
        client_of(parts) as client,
    ):
        headers = {"Authorization": "Bearer shop-key"} if path == V1 else {}
        replies = [await client.post(path, json=batch(event()), headers=headers) for _ in range(3)]
    assert replies[0].status_code == 200
    last = replies[-1]
    assert (last.status_code, last.json()["code"]) == (503, "too_many_requests")
    assert int(last.headers["retry-after"]) >= 1


async def test_a_site_that_sends_too_much_and_a_full_journal_are_told_alike(
    tmp_path: Path, embedded_warehouse: Warehouse
) -> None:
    bounds = Bounds(site_rate=RateLimit(1, 1))
    async with (
        running_parts(tmp_path / "a", embedded_warehouse, sites=(SHOP,), bounds=bounds) as parts,
        client_of(parts) as client,
    ):
        replies = [await client.post("/e/", json=batch(event(str(n)), api_key="mms_shop")) for n in range(3)]
    assert (replies[-1].status_code, replies[-1].json()["code"]) == (503, "site_too_busy")
    with full_journal(tmp_path / "b") as journal:
        async with (
            running_parts(tmp_path / "c", embedded_warehouse, sites=(SHOP,), journal=journal) as parts,
            client_of(parts) as client,
        ):
            reply = await client.post("/e/", json=batch(event()))
    assert (reply.status_code, reply.json()["code"]) == (503, "journal_full")


async def test_the_mode_v1_is_told_of_each_event(client: Client, parts: CollectorParts) -> None:
    events = [
        event("u1", session_id="s1", options={"process_person_profile": True}),
        event("u2", event="$snapshot"),
        event("u3", properties={"$set": {"plan": "pro"}}),
    ]
    body = gzip.compress(msgspec.json.encode({"created_at": "2026-11-22T12:00:00.000Z", "batch": events}))
    headers = {"Authorization": "Bearer mms_shop", "Content-Encoding": "gzip"}
    for _ in range(2):
        told = (await client.post(V1, content=body, headers=headers)).json()["results"]
        assert told["u1"] == told["u3"] == {"result": "ok"}
        assert (told["u2"]["result"], told.keys()) == ("drop", {"u1", "u2", "u3"})
    assert [(row.event, row.session_id) for row in await kept_rows(parts)] == [
        ("quiz_done", "s1"),
        ("quiz_done", ""),
        ("identify", ""),
    ]
    for bad in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer nobodys"}):
        assert (await client.post(V1, content=body, headers=bad)).status_code == 401


@pytest.mark.parametrize("path", ["/flags/?v=2&config=true", "/flags", "/decide/?v=3", "/decide"])
@pytest.mark.parametrize(
    "body",
    [
        msgspec.json.encode({"token": "shop-key", "distinct_id": "d1", "groups": {}}),
        msgspec.json.encode({"api_key": "mms_shop", "distinct_id": "d1"}),
        as_form({"token": "shop-key", "distinct_id": "d1"}),
        gzip.compress(msgspec.json.encode({"token": "shop-key"}), mtime=0),
    ],
)
async def test_nobody_has_a_feature_flag(client: Client, path: str, body: bytes) -> None:
    told = (await client.post(path, content=body)).json()
    assert (told["flags"], told["featureFlags"], told["errorsWhileComputingFlags"]) == ({}, {}, False)
    assert told["sessionRecording"] is False
    assert (await client.post(path, json={"token": "nobodys"})).status_code == 401
    assert (await client.post(path, content=b"x")).status_code == 400


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
async def test_who_asks_for_flags_with_a_large_body_is_refused_unread(
    client: Client, pack: Callable[[bytes], bytes]
) -> None:
    body = msgspec.json.encode({"token": "shop-key", "groups": {"all": ["x"] * 50_000}})
    assert (await client.post("/flags/?v=2", content=pack(body))).status_code == 413


async def test_the_configuration_switches_everything_off_but_capturing(client: Client) -> None:
    told = await client.get("/array/shop-key/config", headers={"Origin": "https://shop.example"})
    assert told.json() == {"token": "shop-key", **CONFIG}
    assert told.headers["access-control-allow-origin"] == "https://shop.example"
    off = ("sessionRecording", "heatmaps", "hasFeatureFlags", "capturePerformance", "productTours")
    assert not any(told.json()[name] for name in off)
    assert "surveys" not in told.json()
    script = await client.get("/array/shop-key/config.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert '["shop-key"]={"config":{"token":"shop-key"' in script.text
    for path in ("/array/nobodys/config", "/array/nobodys/config.js"):
        refused = await client.get(path, headers={"Origin": "https://shop.example"})
        assert (refused.status_code, refused.json()["code"]) == (401, "unknown_write_key")
    assert (await client.get("/api/surveys/?token=shop-key")).json() == {"surveys": []}
    assert (await client.get("/static/array.js")).status_code == 404


async def test_a_recording_is_refused_in_words_that_stop_the_sdk_and_counted(
    client: Client, parts: CollectorParts
) -> None:
    reply = await client.post("/s/?compression=gzip-js", content=gzip.compress(b"x" * 100_000))
    assert (reply.status_code, reply.json()) == (200, {"status": 1, "quota_limited": ["recordings"]})
    refused = parts.metrics.requests_refused.labels("recording_not_kept")
    assert refused._value.get() == 1
    assert await kept_rows(parts) == []


@pytest.mark.parametrize("path", ["/e/", "/e", "/batch/", "/i/v0/e/", "/flags/", "/s/", "/array/strict-key/config"])
async def test_pages_of_the_site_may_send_and_read_and_others_may_not(client: Client, path: str) -> None:
    asked = {"Origin": "https://strict.example", "Access-Control-Request-Method": "POST"}
    question = await client.options(path, headers={**asked, "Access-Control-Request-Headers": "content-type"})
    assert question.status_code == 204
    assert question.headers["access-control-allow-origin"] == "https://strict.example"
    if path == "/e/":
        sent = batch(event(), api_key="strict-key")
        foreign = await client.post(path, json=sent, headers={"Origin": "https://other.example"})
        assert (foreign.status_code, foreign.json()["code"]) == (403, "origin_not_allowed")
        assert "access-control-allow-origin" not in foreign.headers
        own = await client.post(path, json=sent, headers={"Origin": "https://strict.example"})
        assert own.headers["access-control-allow-origin"] == "https://strict.example"


async def test_the_other_packing_of_the_mode_v1_is_read(client: Client) -> None:
    packed = zlib.compress(msgspec.json.encode(batch(event())))
    headers = {"Authorization": "Bearer shop-key", "Content-Encoding": "deflate"}
    reply: httpx.Response = await client.post(V1, content=packed, headers=headers)
    assert reply.json() == {"results": {"u1": {"result": "ok"}}}


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        (rb'{"api_key":"shop-key","batch":[{"event":"a\ud83d","distinct_id":"d1","uuid":"u1"}]}', "text_repaired"),
        (b'{"event":"a","distinct_id":"d1","uuid":"u1","token":"shop-key","properties":{"n":NaN}}', "number_repaired"),
        (b'[{"event":"a","distinct_id":"d1","uuid":"u1","token":"shop-key"},]', "json_repaired"),
    ],
)
async def test_a_damaged_body_is_mended_and_told(
    client: Client, parts: CollectorParts, text: bytes, warned: str
) -> None:
    told = (await client.post("/e/", content=text)).json()
    assert [(warning["messageId"], warning["reason"]) for warning in told["warnings"]] == [("u1", warned)]
    assert [row.event_id for row in await kept_rows(parts)] == ["u1"]
