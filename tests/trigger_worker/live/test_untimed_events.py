"""Events of which it is not known when they happened: history that completes no rule, live and replayed."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from tests.trigger_worker.replays import replay, told
from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.shop import START_MS, Shop, as_accepted
from tests.trigger_worker.stored import store
from trigger_worker.people.arrival import accepted
from trigger_worker.rules.evaluate.compiled_rule import compile_rule
from trigger_worker.rules.evaluate.event import UNTIMED, Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.model import NO_AUDIENCES
from warehouse.event import format_time

SEND = "every: 0s\nsend:\n  - banner: hello\n"
RULES = {
    "lingers": "when: hover\n",
    "returns": "when: view_item -> add_to_cart within 1h\n",
    "keyed": "when: view_item -> add_to_cart\nkey: product_id\n",
    "left": "when: add_to_cart -> no purchase within 15m\n",
    "first": "when: page_view -> search within 1h\n",
    "bought": "when: login\nif: count(purchase, 1d) == 1\n",
}
#: After seconds: event, and whether its time is unknown.
STORIES: dict[str, tuple[list[tuple[float, str, bool]], list[str]]] = {
    "nothing is completed": ([(0, "hover", True), (1, "view_item", False), (2, "add_to_cart", True)], []),
    "nor is a wait started": ([(0, "add_to_cart", True), (1000, "login", False)], []),
    "a wait is not restarted": (
        [(0, "add_to_cart", False), (600, "add_to_cart", True), (1000, "login", False)],
        ["left"],
    ),
    "but it is ended": ([(0, "add_to_cart", False), (600, "purchase", True), (1000, "logout", False)], []),
    "it is a first step": ([(0, "page_view", True), (60, "search", False)], ["first"]),
    "it is history": ([(0, "purchase", True), (60, "login", False)], ["bought"]),
    "the others go on": (
        [(0, "hover", True), (1, "hover", False), (2, "hover", True), (3, "hover", False)],
        ["lingers"] * 2,
    ),
}


def row_of(shop: Shop, event: str, *, untimed: bool) -> dict[str, Any]:
    return {**shop.row(event, product_id="p1"), "untimed": int(untimed)}


@pytest.mark.parametrize("way", ["bus", "feed"])
@pytest.mark.parametrize("story", STORIES)
async def test_live_and_replayed_they_are_history_and_no_news(
    shop: Shop, story: str, way: Literal["bus", "feed"]
) -> None:
    for rule_id, text in RULES.items():
        shop.rule(rule_id, text + SEND)
    await shop.starts()
    await shop.passes(1)
    told_of, expected = STORIES[story]
    begin = shop.now_ms
    for after, event, untimed in told_of:
        await shop.passes((begin + after * 1000 - shop.now_ms) / 1000)
        row = row_of(shop, event, untimed=untimed)
        if way == "bus":
            shop.hear_together(row)
            await shop.worker.evaluation.bus.settle()
        store(shop.warehouse, {**row, "ingested_at": format_time(shop.now_ms)})
        await shop.passes(0.1)
    await shop.passes(1000)
    assert sorted(rule for rule, *_ in shop.fires()) == expected
    texts = [f"id: {rule_id}\nevery: 0s\n{text}" for rule_id, text in RULES.items()]
    replayed = replay(shop.warehouse, *texts, since=START_MS, until=shop.now_ms, now=shop.now_ms)
    assert sorted(rule for rule, *_ in told(replayed)) == expected


def test_an_accepted_row_and_a_chain_of_any_length_know_of_it(embedded_shop: Shop) -> None:
    row = embedded_shop.row("hover")
    assert accepted_of(row, untimed=True).late_ms == UNTIMED
    assert accepted_of(row, untimed=False).late_ms == 0


def accepted_of(row: dict[str, Any], *, untimed: bool) -> Event:
    return accepted(as_accepted({**row, "untimed": int(untimed)}), START_MS).event


@pytest.mark.parametrize("when", ["a -> b", "a -> b -> no c within 1m"])
@pytest.mark.parametrize("known", [3, 30])
def test_of_many_completions_those_of_unknown_time_are_left_out(when: str, known: int) -> None:
    """Short chains are found anew each time, and long ones remembered."""
    events = [Event("a", START_MS, "a", {})]
    for n in range(known):
        at = START_MS + (n + 1) * 120_000
        events += [Event("b", at, f"b{n}", {}), Event("b", at + 30_000, f"u{n}", {}, UNTIMED)]
    compiled = compile_rule(rule(f"when: {when}"), NO_AUDIENCES)
    found = compiled.matches(History(events), START_MS, START_MS + 10**9)
    assert [match.event.event_id for match in found] == [f"b{n}" for n in range(known)]
