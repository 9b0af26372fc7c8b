from __future__ import annotations

import asyncio
import base64
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.banners.banner import Browser
from collector.parts import Bounds, CollectorParts, CollectorSettings
from collector.rate import RateLimit
from tests.collector.away import AWAY
from tests.collector.browsers import browser_of
from tests.collector.collector_parts import SHOP, STRICT, client_of, kept_rows, running_parts
from tests.collector.journals import FailingJournal, full_journal
from tests.collector.messages import NOON, message
from warehouse.banner_notice import BannerNotice
from warehouse.connection import Warehouse
from warehouse.event import format_time
from warehouse.journal.mover import Mover
from warehouse.journal.tables import EVENTS, JournalTable
from warehouse.limits import MAX_BODY_BYTES, MAX_EVENTS_PER_BATCH, MAX_LISTED

Client = AsyncTestClient[Litestar]
ANNA = browser_of("anna")
OF_ANNA = message(messageId="a", anonymousId=ANNA.anonymous_id)
BASIC = {"Authorization": "Basic " + base64.b64encode(b"shop-key:").decode()}


def batch(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"writeKey": "shop-key", "sentAt": "2026-11-22T12:00:00.000Z", "batch": list(messages), **fields}


async def test_a_batch_is_on_disk_when_it_is_answered(client: Client, parts: CollectorParts) -> None:
    reply = await client.post("/v1/batch", json=batch(message(messageId="a"), message(messageId="b")))
    assert reply.status_code == 200
    assert parts.journal.depth(EVENTS) == 2
    assert [row.event_id for row in await kept_rows(parts)] == ["a", "b"]


async def test_what_was_answered_is_in_clickhouse_once_the_mover_ran(client: Client, parts: CollectorParts) -> None:
    await client.post("/v1/batch", json=batch(message(messageId="a", properties={"product_id": "tent"})))

    async def announce(_: JournalTable) -> None:
        return

    with Mover(parts.journal, parts.warehouse, announce) as mover:
        await mover.drain()
    assert list(parts.warehouse.query("SELECT event_id, product_id, site FROM events")) == [("a", "tent", "shop")]


async def test_a_reply_has_a_token_and_nothing_that_is_empty(client: Client, parts: CollectorParts) -> None:
    reply = (await client.post("/v1/batch", json=ANNA.batch(message()))).json()
    assert set(reply) == {"success", "token"}
    assert reply["success"] is True
    listener = parts.tokens.check(reply["token"], NOON)
    assert listener is not None
    assert (listener.site, listener.anonymous_id) == ("shop", ANNA.anonymous_id)


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track"])
@pytest.mark.parametrize(
    ("anonymous_id", "secret", "kept"),
    [
        pytest.param(ANNA.anonymous_id, None, False, id="no secret"),
        pytest.param(ANNA.anonymous_id, "", False, id="an empty one"),
        pytest.param(ANNA.anonymous_id, browser_of("ben").secret, False, id="another browser's"),
        pytest.param(ANNA.anonymous_id, [ANNA.secret], False, id="a list"),
        pytest.param(ANNA.anonymous_id, 7, False, id="a number"),
        pytest.param("cookie", None, True, id="an id without a secret"),
        pytest.param("cookie", ANNA.secret, True, id="the secret of another id"),
    ],
)
async def test_who_does_not_prove_to_be_the_browser_gets_nothing_of_it(
    client: Client, parts: CollectorParts, path: str, anonymous_id: str, secret: object, kept: bool
) -> None:
    """Neither a token for its stream, nor the banners that wait for it, which stay for the browser itself."""
    banner = BannerNotice("shop", "m", (ANNA.anonymous_id, "cookie"), NOON + 1, msgspec.Raw(b'{"title":"Hello Anna"}'))
    parts.desk.take(banner)
    sent = message(anonymousId=anonymous_id)
    body = batch(sent) if path == "/v1/batch" else {**sent, "writeKey": "shop-key"}
    reply = (await client.post(path, json=body | ({} if secret is None else {"browserSecret": secret}))).json()
    assert reply.keys() & {"token", "messages"} == set()
    assert [drop["reason"] for drop in reply.get("dropped", [])] == ([] if kept else ["browser_unproven"])
    own = (await client.post("/v1/batch", json=ANNA.batch(message()))).json()
    assert (own["messages"], "token" in own) == ([{"title": "Hello Anna"}], True)


async def test_a_user_id_without_a_signature_is_left_out_and_the_reply_says_so(tmp_path: Path) -> None:
    site = msgspec.structs.replace(SHOP, identity="required")
    async with running_parts(tmp_path, AWAY, sites=(site,)) as parts, client_of(parts) as client:
        sent = [message(messageId=each, userId="ada") for each in ("a", "b")]
        reply = (await client.post("/v1/batch", json=ANNA.batch(*sent))).json()
        assert [(warned["messageId"], warned["reason"]) for warned in reply["warnings"]] == [
            ("a", "identity_unproven"),
            ("b", "identity_unproven"),
        ]
        assert "userHash" in reply["warnings"][0]["detail"]
        assert {row.visitor_id for row in await kept_rows(parts)} == {ANNA.anonymous_id}
        labels = {"site": "shop", "reason": "identity_unproven"}
        assert parts.metrics.registry.get_sample_value("micromoment_events_warned_total", labels) == 2


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([], id="nobody"),
        pytest.param([message(anonymousId=None, userId="ada")], id="a server's"),
        pytest.param([OF_ANNA, message(messageId="b", anonymousId="other")], id="two visitors"),
        pytest.param([message(event="", anonymousId=ANNA.anonymous_id)], id="nothing kept"),
    ],
)
async def test_only_a_batch_of_one_visitor_gets_a_token(client: Client, messages: list[dict[str, Any]]) -> None:
    reply = await client.post("/v1/batch", json=batch(*messages, browserSecret=ANNA.secret))
    assert reply.status_code == 200
    assert "token" not in reply.json()


async def test_what_is_dropped_is_named_with_its_reason_and_counted(client: Client, parts: CollectorParts) -> None:
    sent = [message(messageId="good"), message(messageId="nameless", event=""), message(messageId="good")]
    reply = await client.post("/v1/batch", json=batch(*sent))
    dropped = reply.json()["dropped"]
    assert [(drop["messageId"], drop["reason"]) for drop in dropped] == [("nameless", "no_name"), ("good", "duplicate")]
    sample = parts.metrics.registry.get_sample_value
    assert sample("micromoment_events_accepted_total", {"site": "shop"}) == 1
    for reason in ("no_name", "duplicate"):
        assert sample("micromoment_events_dropped_total", {"site": "shop", "reason": reason}) == 1


async def test_events_beyond_a_batchs_limit_are_named(client: Client) -> None:
    sent = [{"type": "track", "event": "e", "anonymousId": "c", "messageId": str(n)} for n in range(2501)]
    dropped = (await client.post("/v1/batch", json=batch(*sent))).json()["dropped"]
    assert [(drop["messageId"], drop["reason"]) for drop in dropped] == [(str(MAX_EVENTS_PER_BATCH), "too_many")]


async def test_a_batch_sent_again_is_answered_the_same_and_stored_once(client: Client, parts: CollectorParts) -> None:
    first = await client.post("/v1/batch", json=ANNA.batch(message()))
    second = await client.post("/v1/batch", json=ANNA.batch(message()))
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json()["token"]
    assert parts.journal.depth(EVENTS) == 1


async def test_banners_that_wait_come_with_the_reply_once(client: Client, parts: CollectorParts) -> None:
    parts.desk.take(BannerNotice("shop", "m", (ANNA.anonymous_id,), NOON + 1, msgspec.Raw(b'{"title":"Hello"}')))
    others = await client.post("/v1/batch", json=batch(message(messageId="o", anonymousId="other")))
    assert "messages" not in others.json()
    first = await client.post("/v1/batch", json=ANNA.batch(message(messageId="a")))
    assert first.json()["messages"] == [{"title": "Hello"}]
    second = await client.post("/v1/batch", json=ANNA.batch(message(messageId="b")))
    assert "messages" not in second.json()
    assert parts.desk.collect(Browser("shop", ANNA.anonymous_id)) == []


@pytest.mark.parametrize(
    ("kind", "fields", "event"),
    [
        ("track", {"event": "Order Completed"}, "purchase"),
        ("page", {"name": "Home"}, "page_view"),
        ("screen", {"name": "Home"}, "screen_view"),
        ("identify", {"userId": "ada", "traits": {"plan": "gold"}}, "identify"),
        ("group", {"groupId": "g", "traits": {"name": "G"}}, "group"),
        ("alias", {"previousId": "old", "userId": "ada"}, "alias"),
    ],
)
async def test_each_call_of_the_tracking_api_has_its_route(
    client: Client, parts: CollectorParts, kind: str, fields: dict[str, Any], event: str
) -> None:
    sent = {"anonymousId": "cookie", "messageId": "m-1", "timestamp": "2026-11-22T11:00:00Z", **fields}
    reply = await client.post(f"/v1/{kind}", json=sent, headers=BASIC)
    assert (reply.status_code, reply.json()["success"]) == (200, True)
    (row,) = await kept_rows(parts)
    assert (row.type, row.event, row.ts) == (kind, event, "2026-11-22 11:00:00.000")


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "plain"])
async def test_the_content_type_does_not_matter(client: Client, content_type: str, packed: bool) -> None:
    body = msgspec.json.encode(batch(message()))
    headers = {"Content-Type": content_type} if content_type else {}
    reply = await client.post("/v1/batch", content=gzip.compress(body) if packed else body, headers=headers)
    assert reply.status_code == 200


@pytest.mark.parametrize(
    "request_parts",
    [
        pytest.param({"headers": BASIC}, id="basic"),
        pytest.param({"params": {"writeKey": "shop-key"}}, id="query"),
        pytest.param({"headers": {"X-Write-Key": "shop-key"}}, id="header"),
    ],
)
async def test_the_write_key_may_stand_elsewhere_than_in_the_body(client: Client, request_parts: Any) -> None:
    reply = await client.post("/v1/batch", json={"batch": [message()]}, **request_parts)
    assert reply.status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"batch": {}}', b"\x1f\x8bnope", b"data=!"])
async def test_a_malformed_body_is_answered_400_and_says_where(
    client: Client, parts: CollectorParts, body: bytes
) -> None:
    reply = await client.post("/v1/batch", content=body, headers=BASIC)
    assert reply.status_code == 400
    assert set(reply.json()) == {"code", "message"}
    assert reply.json()["code"] == "malformed"
    assert parts.journal.depth(EVENTS) == 0


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track"])
async def test_an_unknown_write_key_is_answered_401_with_the_remedy(client: Client, path: str) -> None:
    for sent in ({"batch": [message()], "writeKey": "wrong"}, {"batch": [message()]}, {"batch": [], "writeKey": ""}):
        reply = await client.post(path, json=sent)
        assert reply.status_code == 401
        assert reply.json() == {
            "code": "unknown_write_key",
            "message": "no site has this write key; copy it from [sites.NAME] in micromoment.toml into data-key",
        }


async def test_a_page_of_another_origin_is_answered_403(client: Client, parts: CollectorParts) -> None:
    sent = batch(message(context={"consent": {"analytics": True}}), writeKey="strict-key")
    reply = await client.post("/v1/batch", json=sent, headers={"Origin": "https://evil.example"})
    assert reply.status_code == 403
    assert reply.json()["code"] == "origin_not_allowed"
    assert "https://evil.example" in reply.json()["message"]
    assert parts.journal.depth(EVENTS) == 0
    reply = await client.post("/v1/batch", json=sent, headers={"Origin": "https://strict.example"})
    assert reply.status_code == 200


@pytest.mark.parametrize(
    "body", [b" " * (MAX_BODY_BYTES + 1), b" " * (4 * MAX_BODY_BYTES), gzip.compress(bytes(30_000_000))]
)
async def test_a_body_that_is_too_large_is_answered_413(client: Client, body: bytes) -> None:
    reply = await client.post("/v1/batch", content=body, headers=BASIC)
    assert reply.status_code == 413
    assert reply.json()["code"] == "too_large"
    assert "smaller batches" in reply.json()["message"]


async def test_an_address_that_calls_too_often_is_answered_429(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    async with running_parts(tmp_path, embedded_warehouse, rate=RateLimit(0.1, 2)) as parts, client_of(parts) as client:
        replies = [await client.post("/v1/batch", json=batch(message(messageId=str(n)))) for n in range(3)]
        assert [reply.status_code for reply in replies] == [200, 200, 429]
        assert replies[2].headers["retry-after"].isdigit()
        assert replies[2].json()["code"] == "too_many_requests"
        sample = parts.metrics.registry.get_sample_value
        assert sample("micromoment_requests_refused_total", {"code": "too_many_requests"}) == 1


async def test_the_address_is_the_last_that_a_trusted_proxy_names(
    tmp_path: Path, embedded_warehouse: Warehouse
) -> None:
    settings, limit = CollectorSettings(address_header="x-forwarded-for"), RateLimit(0.1, 1)
    collector = running_parts(tmp_path, embedded_warehouse, settings=settings, rate=limit)
    async with collector as parts, client_of(parts) as client:
        statuses = []
        for forwarded in ("192.0.2.1", "6.6.6.6, 192.0.2.1", "192.0.2.1, 192.0.2.2"):
            reply = await client.post("/v1/batch", json=batch(), headers={"X-Forwarded-For": forwarded})
            statuses.append(reply.status_code)
        assert statuses == [200, 429, 200]


async def test_a_full_journal_is_answered_503(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    journal = full_journal(tmp_path, room_for=1)
    async with running_parts(tmp_path, embedded_warehouse, journal=journal) as parts, client_of(parts) as client:
        assert (await client.post("/v1/batch", json=batch(message(messageId="a")))).status_code == 200
        reply = await client.post("/v1/batch", json=batch(message(messageId="b")))
        assert (reply.status_code, reply.json()["code"]) == (503, "journal_full")
        assert reply.headers["retry-after"].isdigit()
        assert [row.event_id for row in await kept_rows(parts)] == ["a"]


async def test_a_disk_that_fails_is_answered_503_and_nothing_is_acknowledged(
    tmp_path: Path, embedded_warehouse: Warehouse
) -> None:
    journal = FailingJournal(tmp_path / "journal")
    async with running_parts(tmp_path, embedded_warehouse, journal=journal) as parts, client_of(parts) as client:
        journal.fails = True
        reply = await client.post("/v1/batch", json=batch(message()))
        assert (reply.status_code, reply.json()["code"]) == (503, "journal_unavailable")
        assert reply.headers["retry-after"].isdigit()
        journal.fails = False
        again = await client.post("/v1/batch", json=batch(message()))
        assert again.status_code == 200
        assert "dropped" not in again.json()
        assert parts.journal.depth(EVENTS) == 1


async def test_a_sender_that_hangs_up_harms_nobody(
    client: Client, parts: CollectorParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, is_on_its_way = parts.journal.append_async, asyncio.Event()

    def noticed(
        table: JournalTable, lines: Sequence[bytes], at: int, ids: Sequence[bytes] = ()
    ) -> asyncio.Future[list[int]]:
        is_on_its_way.set()
        return append(table, lines, at, ids)

    monkeypatch.setattr(parts.journal, "append_async", noticed)
    # The test client answers one request at a time; these are under way together.
    transport = httpx.ASGITransport(cast(Any, client.app))
    async with httpx.AsyncClient(transport=transport, base_url=str(client.base_url)) as together:
        senders = [asyncio.create_task(_send(together, f"m{number}")) for number in range(40)]
        await is_on_its_way.wait()
        for sender in senders[::2]:
            sender.cancel()
        answers = await asyncio.gather(*senders, return_exceptions=True)
    assert any(sender.cancelled() for sender in senders), "nobody hung up before the answer"
    assert answers[1::2] == [200] * 20
    async with asyncio.timeout(10):
        assert await _send(client, "last") == 200


async def test_a_body_that_comes_in_pieces_is_whole(client: Client, parts: CollectorParts) -> None:
    body = msgspec.json.encode(batch(message()))
    pieces = [{"type": "http.request", "body": body[at : at + 50], "more_body": True} for at in range(0, len(body), 50)]
    assert await _status(client, [*pieces, {"type": "http.request", "body": b"", "more_body": False}]) == 200
    assert parts.journal.depth(EVENTS) == 1


async def test_half_a_body_is_no_batch(client: Client, parts: CollectorParts) -> None:
    body = msgspec.json.encode(batch(message()))
    half = {"type": "http.request", "body": body, "more_body": True}
    assert await _status(client, [half, {"type": "http.disconnect"}]) == 400
    assert parts.journal.depth(EVENTS) == 0


async def test_a_body_without_end_is_read_no_further_than_its_limit(client: Client) -> None:
    piece = {"type": "http.request", "body": b" " * 100_000, "more_body": True}
    assert await _status(client, [piece] * 6) == 413


@pytest.mark.parametrize(
    ("headers", "stored"), [({"Sec-GPC": "1"}, 0), ({"DNT": "1"}, 0), ({"DNT": "0"}, 1), ({}, 1)], ids=str
)
async def test_a_browser_that_asks_not_to_be_tracked_is_not(
    client: Client, parts: CollectorParts, headers: dict[str, str], stored: int
) -> None:
    await client.post("/v1/batch", json=batch(message()), headers=headers)
    assert parts.journal.depth(EVENTS) == stored


async def test_the_country_comes_from_a_trusted_proxy_only(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    for header, expected in (("cf-ipcountry", "AT"), ("", "")):
        folder = tmp_path / (header or "none")
        settings = CollectorSettings(country_header=header)
        async with running_parts(folder, embedded_warehouse, settings=settings) as parts, client_of(parts) as client:
            await client.post("/v1/batch", json=batch(message()), headers={"CF-IPCountry": "at"})
            assert [row.country for row in await kept_rows(parts)] == [expected]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/batch", 405), ("POST", "/v1/nothing", 404)])
async def test_any_other_error_is_json_with_code_and_message(
    client: Client, method: str, path: str, status: int
) -> None:
    reply = await client.request(method, path)
    assert reply.status_code == status
    assert set(reply.json()) == {"code", "message"}


async def _send(client: httpx.AsyncClient, message_id: str) -> int:
    return (await client.post("/v1/batch", json=batch(message(messageId=message_id)))).status_code


async def _status(
    client: Client, events: list[dict[str, Any]], headers: Mapping[str, str] | None = None, query: bytes = b""
) -> int:
    """The status that is answered to a body that arrives in these events and no more."""
    waiting, sent = iter(events), list[Any]()

    async def receive() -> Any:
        return next(waiting)

    async def send(event: Any) -> None:
        sent.append(event)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/v1/batch",
        "query_string": query,
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
        "client": None,
    }
    await client.app(cast(Any, {**scope, "client": None}), receive, send)
    return int(sent[0]["status"])


async def test_a_key_that_no_site_has_is_refused_before_the_body_is_read(client: Client) -> None:
    for headers in ({"X-Write-Key": "?"}, {"Authorization": "Basic " + base64.b64encode(b"?:").decode()}):
        # Nothing of the body ever comes.
        assert await _status(client, [], headers={**headers, "content-length": "400000"}) == 401
    assert await _status(client, [], query=b"writeKey=?") == 401


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            gzip.compress(b'{"writeKey":"shop-key","batch":[%s]}' % b",".join([b"0"] * 1_000_000)), id="zeros"
        ),
        pytest.param(
            gzip.compress(b'{"writeKey":"shop-key","batch":[%s]}' % b",".join([b"{}"] * 600_000)), id="objects"
        ),
    ],
)
async def test_a_small_body_of_a_million_messages_is_answered_with_a_few_bytes(client: Client, body: bytes) -> None:
    assert len(body) < 4096
    reply = await client.post("/v1/batch", content=body)
    assert (reply.status_code, reply.json()["code"]) == (413, "too_large")
    assert len(reply.content) < 500


async def test_drops_are_named_to_a_bound_then_counted(client: Client, parts: CollectorParts) -> None:
    reply = await client.post("/v1/batch", json=batch(*([0] * 9_000)))
    assert reply.status_code == 200
    assert len(reply.json()["dropped"]) == MAX_LISTED
    assert reply.json()["droppedMore"] == 9_000 - MAX_LISTED
    counted = parts.metrics.registry.get_sample_value
    assert counted("micromoment_events_dropped_total", {"site": "shop", "reason": "malformed"}) == MAX_EVENTS_PER_BATCH
    assert counted("micromoment_events_dropped_total", {"site": "shop", "reason": "too_many"}) == 6_500
    assert "droppedMore" not in (await client.post("/v1/batch", json=batch(0))).json()


@pytest.mark.parametrize("text", ["a" * 120_000, "\u2028" * 20_000])
async def test_an_answer_repeats_little_of_what_was_sent(client: Client, text: str) -> None:
    reply = await client.post("/v1/batch", json=batch(message(type=text, messageId=text), message(event=text)))
    assert reply.status_code == 200
    assert len(reply.content) < 8_000


async def test_events_and_bytes_count_against_an_address_as_requests_do(
    tmp_path: Path, embedded_warehouse: Warehouse
) -> None:
    def events(count: int) -> dict[str, Any]:
        return batch(*(message(messageId=str(number)) for number in range(count)))

    for body in (events(60), {**batch(message()), "context": {"filler": "x" * 30_000}, "more": "x" * 60_000}):
        folder = tmp_path / str(len(str(body)))
        limited = running_parts(folder, embedded_warehouse, rate=RateLimit(0.1, 10))
        async with limited as parts, client_of(parts) as client:
            statuses = [(await client.post("/v1/batch", json=body)).status_code for _ in range(3)]
            assert statuses == [200, 429, 429]


async def test_a_shops_server_is_counted_against_its_site_alone(tmp_path: Path) -> None:
    shop = msgspec.structs.replace(STRICT, server_keys=("a secret key",))
    basic = {"Authorization": "Basic " + base64.b64encode(b"a secret key:").decode()}
    body = {"batch": [message(messageId=str(number), anonymousId=str(number)) for number in range(60)]}
    async with (
        running_parts(tmp_path, AWAY, sites=(shop,), rate=RateLimit(0.1, 2)) as parts,
        client_of(parts) as client,
    ):
        replies = [await client.post("/v1/batch", json=body, headers=basic) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 200]


async def test_a_large_body_is_counted_whatever_becomes_of_it(tmp_path: Path) -> None:
    zeros = gzip.compress(b'{"writeKey":"shop-key","batch":[0%s]}' % (b",0" * 900_000))
    async with running_parts(tmp_path, AWAY, rate=RateLimit(0.1, 10)) as parts, client_of(parts) as client:
        statuses = [(await client.post("/v1/batch", content=zeros)).status_code for _ in range(2)]
    assert statuses == [413, 429]


async def test_each_further_visitor_of_a_batch_counts_as_a_request(tmp_path: Path) -> None:
    def visitors(count: int) -> dict[str, Any]:
        return batch(*(message(messageId=str(n), anonymousId=f"{count} {n}") for n in range(count)))

    async with running_parts(tmp_path, AWAY, rate=RateLimit(0.1, 10)) as parts, client_of(parts) as client:
        statuses = [(await client.post("/v1/batch", json=visitors(count))).status_code for count in (4, 5, 1)]
    assert statuses == [200, 200, 429]


async def test_a_site_takes_no_more_than_its_rate_and_no_other_site_pays_for_it(tmp_path: Path) -> None:
    bounds = Bounds(site_rate=RateLimit(0.1, 2))
    async with running_parts(tmp_path, AWAY, bounds=bounds) as parts, client_of(parts) as client:
        replies = [await client.post("/v1/batch", json=batch(message(messageId=str(n)))) for n in range(3)]
        assert [reply.status_code for reply in replies] == [200, 200, 429]
        assert (replies[2].json()["code"], int(replies[2].headers["retry-after"]) > 0) == ("site_too_busy", True)
        other = {"writeKey": STRICT.write_key, "batch": []}
        assert (await client.post("/v1/batch", json=other)).status_code == 200


async def test_an_event_that_is_too_old_is_kept_with_the_time_of_its_receipt_and_a_warning(tmp_path: Path) -> None:
    bounds = Bounds(event_max_age_ms=7 * 86_400_000)
    times = {"old": "2026-11-10T12:00:00.000Z", "young": "2026-11-16T12:00:00.000Z", "odd": "1970-01-01T00:00:00.000Z"}
    async with running_parts(tmp_path, AWAY, bounds=bounds) as parts, client_of(parts) as client:
        sent = [message(messageId=name, timestamp=time) for name, time in times.items()]
        reply = await client.post("/v1/batch", json=batch(*sent))
        stored = {row.event_id: row.ts for row in await kept_rows(parts)}
        counted = parts.metrics.registry.get_sample_value
        assert counted("micromoment_events_warned_total", {"site": "shop", "reason": "too_old"}) == 1
        assert counted("micromoment_events_warned_total", {"site": "shop", "reason": "time_unreadable"}) == 1
    receipt = format_time(NOON)
    assert stored == {"old": receipt, "young": "2026-11-16 12:00:00.000", "odd": receipt}
    told = [(warning["messageId"], warning["reason"]) for warning in reply.json()["warnings"]]
    assert told == [("old", "too_old"), ("odd", "time_unreadable")]
    assert "7 days" in reply.json()["warnings"][0]["detail"]


async def test_a_clients_requests_tell_its_clock_from_their_journeys(tmp_path: Path) -> None:
    """It is seen once; what it then sends long after `sentAt` was kept back, and another client is suspected anew."""
    late = {"timestamp": "2026-11-22T11:00:00.000Z", "sentAt": "2026-11-22T11:00:01.000Z"}
    async with running_parts(tmp_path, AWAY) as parts, client_of(parts) as client:
        await client.post("/v1/batch", json=batch(message(messageId="prompt")))
        replies = [
            await client.post(
                "/v1/track", json={"writeKey": "shop-key", **message(messageId=who, anonymousId=who, **late)}
            )
            for who in ("cookie", "other")
        ]
        stored = {row.event_id: row.ts for row in await kept_rows(parts)}
    assert stored["cookie"] == "2026-11-22 11:00:00.000"
    assert stored["other"] == "2026-11-22 11:59:59.000"
    assert "warnings" not in replies[0].json()
    (told,) = replies[1].json()["warnings"]
    assert (told["messageId"], told["reason"]) == ("other", "clock_skewed")
