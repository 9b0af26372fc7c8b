"""Traits that are told for who has none of the name yet, for templates and for rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.trigger_worker.replays import replay, told
from tests.trigger_worker.stored import NOON, event_row, store
from trigger_worker.deciding.recipient.profile import build_profile
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from warehouse.connection import Warehouse

TOLD = [
    ([{"once": {"shop": "north"}}], "north"),
    ([{"once": {"shop": "north"}}, {"once": {"shop": "south"}}], "north"),
    ([{"traits": {"shop": "west"}}, {"once": {"shop": "north"}}], "west"),
    ([{"once": {"shop": "north"}}, {"traits": {"shop": "west"}}], "west"),
    ([{"once": {"shop": "north"}, "traits": {"shop": "west"}}], "west"),
    ([{"once": {"shop": "north"}}, {"traits": {"shop": None}}, {"once": {"shop": "south"}}], "south"),
    ([{"once": 7}], None),
]


@pytest.mark.parametrize(("events", "shop"), TOLD)
def test_templates_have_the_first_until_another_is_told(events: list[dict[str, Any]], shop: str | None) -> None:
    rows = [
        Event("identify", NOON + place, f"e{place}", {"traits": each.get("traits"), "traits_once": each.get("once")})
        for place, each in enumerate(events)
    ]
    assert build_profile("anna", History(rows, {}), NOON + 100).visitor.traits.get("shop") == shop


@pytest.mark.parametrize(("events", "shop"), TOLD[:-1])
def test_rules_read_the_same(warehouse: Warehouse, events: list[dict[str, Any]], shop: str) -> None:
    for place, each in enumerate(events):
        fields = {"traits": each.get("traits"), "traits_once": each.get("once")}
        store(warehouse, event_row("identify", at=NOON + place, **{name: of for name, of in fields.items() if of}))
    store(warehouse, event_row("hover", at=NOON + 100))
    for name in ("north", "south", "west"):
        fired = told(replay(warehouse, f'when: hover\nif: traits.shop == "{name}"'))
        assert bool(fired) == (name == shop)
