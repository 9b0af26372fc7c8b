"""What becomes of rows that were kept: each is passed on once, and never at the cost of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from collector.feedback.callbacks import message_event
from collector.intake.body import Batch
from collector.intake.pipeline import MESSAGES_AT_ONCE
from tests.collector.away import AWAY
from tests.collector.callbacks import TOKEN
from tests.collector.collector_parts import SHOP, client_of, kept_rows, running_parts
from tests.collector.journals import full_journal
from tests.collector.messages import NOON, RECEIPT, message
from warehouse.errors import JournalFull
from warehouse.event import EventRow


class Heard:
    """Remembers the ids of the rows that were passed on, and the instant of each call."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], int]] = []

    def __call__(self, rows: Sequence[EventRow], at: int) -> None:
        self.calls.append(([row.event_id for row in rows], at))


def batch(*ids: str, **changes: Any) -> dict[str, Any]:
    return {"writeKey": "shop-key", "batch": [message(messageId=each, **changes) for each in ids]}


async def test_rows_that_are_on_disk_are_passed_on_with_the_instant_of_their_receipt(tmp_path: Path) -> None:
    heard = Heard()
    async with running_parts(tmp_path, AWAY, accepted=heard) as parts, client_of(parts) as client:
        await client.post("/v1/batch", json=batch("a", "b"))
        assert [row.event_id for row in await kept_rows(parts)] == ["a", "b"]
    assert heard.calls == [(["a", "b"], NOON)]


async def test_what_one_visitor_sends_too_much_of_is_named_and_counted_and_not_kept(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY, events_per_minute=3) as parts, client_of(parts) as client:
        much = [message(messageId=f"{number}") for number in range(5)]
        other = message(messageId="other", anonymousId="another")
        answer = message(messageId="refused", event="consent", properties={"marketing": False})
        reply = (await client.post("/v1/batch", json={"writeKey": "shop-key", "batch": [*much, other, answer]})).json()
        assert [row.event_id for row in await kept_rows(parts)] == ["0", "1", "2", "other", "refused"]
        counted = parts.metrics.registry.get_sample_value
        assert counted("micromoment_events_dropped_total", {"site": "shop", "reason": "too_fast"}) == 2
        assert counted("micromoment_events_accepted_total", {"site": "shop"}) == 5
    assert [(drop["messageId"], drop["reason"]) for drop in reply["dropped"]] == [("3", "too_fast"), ("4", "too_fast")]
    assert "visitor_events_per_minute" in reply["dropped"][0]["detail"]


async def test_the_shops_server_sends_as_much_as_it_likes(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY, events_per_minute=3) as parts:
        sent = Batch(batch=[msgspec.Raw(msgspec.json.encode(message(messageId=f"{number}"))) for number in range(5)])
        receipt = msgspec.structs.replace(RECEIPT, is_from_server=True)
        assert (await parts.ingest.take(sent, SHOP, receipt)).drops == []


async def test_an_order_told_again_by_its_visitor_is_a_duplicate_named_by_the_messageid_that_told_it(
    tmp_path: Path,
) -> None:
    def telling(message_id: str, order_id: object, event: str = "purchase", **fields: Any) -> dict[str, Any]:
        properties = {"order_id": order_id, "value": 80}
        return message(messageId=message_id, event=event, properties=properties, **fields)

    heard = Heard()
    async with running_parts(tmp_path, AWAY, accepted=heard) as parts, client_of(parts) as client:
        together = [telling("m1", "#1001"), telling("m2", 1001), telling("m3", "1002")]
        first = (await client.post("/v1/batch", json={"writeKey": "shop-key", "batch": together})).json()
        later = [
            telling("m4", "1001", timestamp="2026-11-22T11:30:00Z"),
            telling("m5", "1001", anonymousId="laptop"),
            telling("m6", "1001", "refund"),
            telling("m7", "1001", "refund"),
        ]
        second = (await client.post("/v1/batch", json={"writeKey": "shop-key", "batch": later})).json()
        counted = parts.metrics.registry.get_sample_value
        assert counted("micromoment_events_dropped_total", {"site": "shop", "reason": "duplicate"}) == 3
    assert [(drop["messageId"], drop["reason"]) for drop in first["dropped"] + second["dropped"]] == [
        ("m2", "duplicate"),
        ("m4", "duplicate"),
        ("m7", "duplicate"),
    ]
    assert "an order counts once" in first["dropped"][0]["detail"]
    assert [ids for ids, _ in heard.calls] == [
        ["purchase:1001", "purchase:1002"],
        ["purchase:1001", "refund:1001:value=80"],
    ]


async def test_a_repeat_is_not_passed_on_again_and_named_in_the_answer(tmp_path: Path) -> None:
    heard = Heard()
    async with running_parts(tmp_path, AWAY, accepted=heard) as parts, client_of(parts) as client:
        await client.post("/v1/batch", json=batch("a"))
        reply = await client.post("/v1/batch", json=batch("b", "a", "c", "b"))
        assert [(drop["messageId"], drop["reason"]) for drop in reply.json()["dropped"]] == [
            ("a", "duplicate"),
            ("b", "duplicate"),
        ]
        await client.post("/v1/batch", json=batch("a", "b"))
    assert [ids for ids, _ in heard.calls] == [["a"], ["b", "c"]]


async def test_an_event_of_the_collectors_own_is_passed_on_once(tmp_path: Path) -> None:
    heard = Heard()
    async with running_parts(tmp_path, AWAY, accepted=heard) as parts:
        row = message_event("email_opened", TOKEN, SHOP, NOON)
        for _ in range(2):
            await parts.ingest.keep(SHOP, row, NOON)
    assert heard.calls == [([row.event_id], NOON)]


async def test_nothing_is_passed_on_of_what_was_not_kept(tmp_path: Path) -> None:
    heard = Heard()
    async with running_parts(tmp_path, AWAY, accepted=heard, journal=full_journal(tmp_path)) as parts:
        with pytest.raises(JournalFull):
            await parts.ingest.keep(SHOP, message_event("email_opened", TOKEN, SHOP, NOON), NOON)
    assert heard.calls == []


async def test_who_fails_to_take_them_is_named_in_the_log_and_fails_no_request(tmp_path: Path) -> None:
    def fail(_: Sequence[EventRow], __: int) -> None:
        raise ValueError("anna@example.com is no number")

    with capture_logs() as logs:
        async with running_parts(tmp_path, AWAY, accepted=fail) as parts, client_of(parts) as client:
            assert (await client.post("/v1/batch", json=batch("a"))).status_code == 200
            assert len(await kept_rows(parts)) == 1
    (line,) = [entry for entry in logs if entry["event"] == "accepted_rows_not_passed_on"]
    assert (line["error"], line["count"]) == ("ValueError", 1)
    assert "anna" not in str(line)


async def test_everybody_has_a_turn_between_the_portions_of_a_large_batch(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY) as parts:
        raw = [msgspec.Raw(msgspec.json.encode(message(messageId=f"m-{number}"))) for number in range(1000)]
        large = asyncio.create_task(parts.ingest.take(Batch(raw), SHOP, RECEIPT))
        turns = 0
        while not large.done():
            turns += 1
            await asyncio.sleep(0)
        assert len(large.result().drops) == 0
        assert turns >= 1000 / MESSAGES_AT_ONCE


async def test_drops_are_logged_once_in_a_while_and_nothing_that_was_sent(tmp_path: Path) -> None:
    bad = {"writeKey": "shop-key", "batch": [message(type="ada@example.org"), 7]}
    async with running_parts(tmp_path, AWAY) as parts, client_of(parts) as client:
        with capture_logs() as logs:
            for _ in range(20):
                await client.post("/v1/batch", json=bad)
    (line,) = [line for line in logs if line["event"] == "events_dropped"]
    assert (line["site"], line["count"]) == ("shop", 2)
    assert "malformed" in str(line)
    assert "ada@" not in str(logs)
