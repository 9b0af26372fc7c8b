"""Somebody who is known under one id after another is one person, live and in a backtest."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from tests.trigger_worker.replays import replay, told
from tests.trigger_worker.shop import Shop
from tests.trigger_worker.stored import person, visitor
from trigger_worker.store.people import find_people

RULE = "when: add_to_cart\nif: count(view_item, 1h) == 8\nevery: 1h\nsend:\n  - banner: hello\n"
IDS = [f"id-{number}" for number in range(8)]
EVERYBODY = person(IDS[-1], *IDS[:-1])


@pytest.mark.parametrize("order", ["forwards", "backwards", "shuffled", "late"])
async def test_a_chain_of_seven_aliases_is_one_person_as_it_is_told(shop: Shop, order: str) -> None:
    """A view under each id, the joins while they all are in memory, then something that asks about all eight views."""
    shop.rule("all", RULE)
    await shop.starts()
    await shop.passes(60)
    told_by = [
        shop.hears("view_item", each, ago_ms=1_000 - number, event_id=f"view-{number}")
        for number, each in enumerate(IDS)
    ]
    await shop.worker.evaluation.bus.settle()
    joins = list(enumerate(pairwise(IDS)))
    if order == "backwards":
        joins.reverse()
    elif order == "shuffled":
        Random(3).shuffle(joins)
    for number, (alias, owner) in joins:
        ago_ms = (600_000 if order == "late" else 900) - number
        told_by.append(shop.hears("alias", alias, ago_ms=ago_ms, user=owner, event_id=f"join-{number}"))
        await shop.worker.evaluation.bus.settle()
    told_by.append(shop.hears("add_to_cart", IDS[3], event_id="cart"))
    await shop.worker.evaluation.bus.settle()
    if order != "late":
        assert [row[:2] for row in shop.fires()] == [("all", IDS[-1])]
    for event_id in told_by:
        shop.arrives(event_id)
    for _ in range(6):
        await shop.passes(5)
    assert [row[:2] for row in shop.fires()] == [("all", IDS[-1])]
    backtest = told(replay(shop.warehouse, f"id: all\n{RULE}", since=shop.now_ms - 3_600_000, until=shop.now_ms))
    assert [(rule, who) for rule, who, *_ in backtest] == [("all", IDS[-1])]
    found = find_people(shop.warehouse, map(visitor, IDS))
    assert set(found.values()) == {EVERYBODY}
