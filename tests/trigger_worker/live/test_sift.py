"""Whom nothing new can make match is left out, and nobody else."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate.generate import Generator
from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.rules.evaluate.test_agreement import compiled, history_of
from tests.trigger_worker.stored import NOON, event_row, person, store
from trigger_worker.live.candidates import Candidate
from trigger_worker.live.fresh_events import read_fresh
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.sift import completed, sift
from warehouse.connection import Warehouse

MINUTE_MS = 60_000
RULES = LiveRules(
    [
        rule("id: lingers\nwhen: hover[duration >= 3s]"),
        rule('id: tent\nwhen: \'view_item -> hover[category == "tents" and props.colour == "red"]\''),
        rule("id: gone\nwhen: hover -> no purchase within 1m"),
        rule("id: whatever\nwhen: any"),
    ]
)
ANNA, BOB = person("u1", "phone", "laptop"), person("bob")


def left(warehouse: Warehouse, *asked: str, since: int = NOON) -> set[str]:
    """Return the rules of Anna's that are left of some."""
    rules = frozenset(RULES.by_id[name] for name in asked)
    candidates = {ANNA: Candidate(since, rules), BOB: Candidate(NOON, rules)}
    fresh = read_fresh(warehouse, candidates, RULES.looked_at, since, NOON + 1000)
    found = sift(RULES.completions, candidates, fresh, NOON + 1000)
    assert BOB not in found
    return {live.rule.id for live in found[ANNA].rules} if ANNA in found else set()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, set()),
        ({"duration_ms": 2999}, set()),
        ({"duration_ms": 3000}, {"lingers"}),
        ({"category": "tents", "colour": "red"}, {"tent"}),
        ({"category": "tents", "colour": "blue", "duration_ms": 3000}, {"lingers"}),
    ],
)
def test_rules_whose_last_step_takes_an_event_are_left(
    warehouse: Warehouse, fields: dict[str, Any], expected: set[str]
) -> None:
    store(warehouse, event_row("hover", "laptop", **fields))
    assert left(warehouse, "lingers", "tent") == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOON - 1, set()),
        (NOON, {"whatever"}),
        (NOON + 1000, {"whatever"}),
        (NOON + 1001, set()),
        (NOON - MINUTE_MS - 1, set()),
        (NOON - MINUTE_MS, {"gone"}),
        (NOON - MINUTE_MS + 1000, {"gone"}),
        (NOON - MINUTE_MS + 1001, set()),
    ],
)
def test_the_event_must_be_of_the_time_asked_about(warehouse: Warehouse, at: int, expected: set[str]) -> None:
    store(warehouse, event_row("hover", "phone", at))
    assert left(warehouse, "gone", "whatever") == expected


def test_only_rules_that_were_to_be_asked_are_left(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", "phone", duration_ms=3000))
    assert left(warehouse, "lingers") == {"lingers"}


def test_one_visitors_late_news_makes_nobody_else_be_asked_about_what_is_over(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", "phone", NOON - 500), event_row("hover", "bob", NOON - 500))
    assert left(warehouse, "whatever", since=NOON - 500) == {"whatever"}


@given(st.randoms(use_true_random=True))
@settings(max_examples=1000, deadline=None)
def test_no_match_is_ever_left_out(random: Random) -> None:
    generate = Generator(random)
    rules = LiveRules([compiled(generate.rule()).rule])
    history = history_of(generate.events())
    since, until = sorted((generate.instant(), generate.instant() + generate.span()))
    (live,) = rules.by_id.values()
    found = completed(rules.completions, Candidate(since, frozenset({live})), history.events, until)
    if live.compiled.matches(history, since, until):
        assert found == {live}
