"""A property such as `country` is the event's own, and the column beside it the visitor's, live and replayed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest

from tests.trigger_worker.replays import replay, told
from tests.trigger_worker.shop import START_MS, Shop
from tests.trigger_worker.stored import NOON, event_row, person, store
from trigger_worker.rules.evaluate.event import Event, about_visitor
from trigger_worker.rules.evaluate.history import History
from trigger_worker.store.events import read_whole_events
from warehouse.connection import Warehouse
from warehouse.event import format_time

RULES = {
    "event_there": 'when: booked[country == "IT"]\n',
    "event_there_by_prefix": 'when: booked[props.country == "IT"]\n',
    "event_here": 'when: booked[country == "DE"]\n',
    "page_here": 'when: login[country == "DE"]\n',
    "visitor_there": 'when: login\nif: country == "IT"\n',
    "visitor_here": 'when: login\nif: country == "DE" and device == "mobile"\n',
    "counted": 'when: login\nif: count(booked[country == "IT"], 1d) == 1\n',
    "last": 'when: login\nif: last(booked.country) == "IT"\n',
    "keyed": "when: booked -> cancelled\nkey: region\n",
}
EXPECTED = ["counted", "event_there", "event_there_by_prefix", "keyed", "last", "page_here", "visitor_here"]


def rows(shop: Shop) -> Iterator[dict[str, Any]]:
    visitor: dict[str, Any] = {"country": "DE", "device": "mobile"}
    yield shop.row("page_view", **visitor)
    yield {**shop.row("booked", **visitor), "props": '{"country":"IT","device":"crane","region":"TO"}'}
    yield {**shop.row("cancelled", **visitor), "props": '{"region":"TO"}'}
    yield shop.row("login", **visitor)


@pytest.mark.parametrize("way", ["bus", "feed", "restart"])
async def test_live_and_replayed(shop: Shop, way: Literal["bus", "feed", "restart"]) -> None:
    for rule_id, text in RULES.items():
        shop.rule(rule_id, f"{text}every: 0s\nsend:\n  - banner: hello\n")
    await shop.starts()
    await shop.passes(1)
    for row in rows(shop):
        if way == "bus":
            shop.hear_together({**row, "ts": format_time(shop.now_ms), "received_at": format_time(shop.now_ms)})
            await shop.worker.evaluation.bus.settle()
        stamped = {**row, "ts": format_time(shop.now_ms), "received_at": format_time(shop.now_ms)}
        store(shop.warehouse, {**stamped, "ingested_at": format_time(shop.now_ms)})
        if way == "restart":
            await shop.starts()
        await shop.passes(1)
    await shop.passes(5)
    assert sorted(rule for rule, *_ in shop.fires()) == EXPECTED
    texts = [f"id: {rule_id}\nevery: 0s\n{text}" for rule_id, text in RULES.items()]
    replayed = replay(shop.warehouse, *texts, since=START_MS, until=shop.now_ms, now=shop.now_ms)
    assert sorted(rule for rule, *_ in told(replayed)) == EXPECTED


def test_an_event_tells_of_its_visitor_what_its_columns_say(warehouse: Warehouse) -> None:
    own = {**event_row("booked", country="DE"), "props": '{"country":"IT","region":"TO"}'}
    plain = event_row("booked", country="DE", at=NOON + 1)
    store(warehouse, own, plain)
    found = read_whole_events(warehouse, [(person("anna"), row["event_id"]) for row in (own, plain)])
    first, second = (found[person("anna"), row["event_id"]] for row in (own, plain))
    assert (first.fields["country"], first.fields["region"], second.fields["country"]) == ("IT", "TO", "DE")
    assert (about_visitor(first, "country"), about_visitor(first, "region")) == ("DE", None)
    assert about_visitor(second, "country") == "DE"


def test_a_history_without_contexts_tells_of_the_visitor_the_same() -> None:
    events = [
        Event("page_view", NOON, "1", {"country": "DE"}),
        Event("booked", NOON + 1, "2", {"country": "IT"}, 0, {"country": None}),
    ]
    assert History(events).context("country").at(NOON + 2) == "DE"
