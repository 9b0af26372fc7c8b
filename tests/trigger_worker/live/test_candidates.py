"""Whom to ask what."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate.generate import Generator
from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.rules.evaluate.test_agreement import compiled, history_of
from tests.trigger_worker.stored import NOON, event_row, person, store, visitor
from trigger_worker.live import candidates as module
from trigger_worker.live.candidates import Candidate, Candidates, NewestSeen, completed_rules
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.turn import turn
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.event import LATE_MS
from trigger_worker.store.feed import Anchor, News
from trigger_worker.store.windows import read_histories
from warehouse.connection import Warehouse

RULES = LiveRules(
    [
        rule("id: chained\nwhen: view_item -> add_to_cart within 2m"),
        rule("id: whatever\nwhen: any"),
        rule("id: gone\nwhen: any -> no any within 15m"),
        rule("id: abandoned\nwhen: add_to_cart -> no purchase within 15m"),
    ]
)

PEOPLE = {visitor(name): person(name) for name in ("anna", "bob", "cleo")}


def news(event: str, ts: int = NOON, late_ms: int = 0, who: str = "anna") -> News:
    return News(visitor(who), event, f"{event}-{ts}", ts, ts + late_ms)


def asked(*items: News, seen: NewestSeen | None = None) -> dict[str, set[str]]:
    found = Candidates(RULES, PEOPLE)
    found.add_news(items, seen or NewestSeen())
    return {who.visitor_id: {compiled.rule.id for compiled in one.rules} for who, one in found.by_person.items()}


def test_news_concerns_the_rules_whose_last_step_it_may_be() -> None:
    assert asked(news("add_to_cart"), news("view_item", who="bob")) == {
        "anna": {"chained", "whatever"},
        "bob": {"whatever"},
    }


def test_messages_are_not_among_any() -> None:
    assert asked(news("message_shown")) == {}


@pytest.mark.parametrize(("late_ms", "is_late"), [(0, False), (LATE_MS, False), (LATE_MS + 1, True)])
def test_news_that_came_late_concerns_every_rule_that_looks_at_it(late_ms: int, is_late: bool) -> None:
    assert asked(news("view_item", late_ms=late_ms)) == {
        "anna": {"chained", "whatever", "gone"} if is_late else {"whatever"}
    }


@pytest.mark.parametrize(("ts", "is_out_of_order"), [(NOON - 1, True), (NOON, True), (NOON + 1, False)])
def test_news_of_an_instant_that_was_asked_about_concerns_every_rule_that_looks_at_it(
    ts: int, is_out_of_order: bool
) -> None:
    seen = NewestSeen()
    seen.remember([(visitor(), NOON)])
    assert ("chained" in asked(news("view_item", ts), seen=seen)["anna"]) is is_out_of_order
    assert "chained" not in asked(news("view_item", ts, who="bob"), seen=seen)["bob"]


def test_news_that_comes_together_is_in_no_wrong_order() -> None:
    assert "chained" not in asked(news("purchase"), news("view_item", NOON - 1))["anna"]


def test_a_visitor_is_asked_about_from_the_earliest_news_on() -> None:
    found = Candidates(RULES, PEOPLE)
    found.add_news([news("add_to_cart", NOON + 5), news("add_to_cart", NOON + 3)], NewestSeen())
    assert found.by_person[person("anna")].since == NOON + 3


@pytest.mark.parametrize(
    ("event", "expected"),
    [("add_to_cart", {"gone", "abandoned"}), ("hover", {"gone"}), ("email_opened", set())],
)
def test_a_wait_that_ran_out_concerns_the_rules_that_the_event_starts(event: str, expected: set[str]) -> None:
    (wait,) = RULES.waits
    found = Candidates(RULES, PEOPLE)
    found.add_due(wait, [Anchor(visitor(), event, NOON, NOON + 20)])
    chosen = {compiled.rule.id for one in found.by_person.values() for compiled in one.rules}
    assert chosen == expected
    assert all(one.since == NOON + wait.wait_ms for one in found.by_person.values())


def test_the_newest_times_of_the_visitors_seen_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 2)
    seen = NewestSeen()
    seen.remember([(visitor("anna"), NOON), (visitor("bob"), NOON), (visitor("anna"), NOON)])
    seen.remember([(visitor("cleo"), NOON)])
    out_of_order = {who for who in PEOPLE if seen.is_out_of_order(news("copy", NOON - 1), PEOPLE[who])}
    assert out_of_order == {visitor("anna"), visitor("cleo")}


def test_an_earlier_event_does_not_move_the_newest_time_back() -> None:
    seen = NewestSeen()
    seen.remember([(visitor(), NOON), (visitor(), NOON - 100)])
    assert seen.is_out_of_order(news("copy", NOON - 50), person("anna"))


def test_what_was_asked_about_under_one_id_is_known_of_the_persons_others() -> None:
    seen = NewestSeen()
    seen.remember([(visitor("phone"), NOON)])
    item = news("copy", NOON - 50, who="laptop")
    assert seen.is_out_of_order(item, person("u1", "laptop", "phone"))
    assert not seen.is_out_of_order(item, person("laptop"))


MINUTE_MS = 60_000
COMPLETABLE_RULES = LiveRules(
    [
        rule("id: lingers\nwhen: hover[duration >= 3s]"),
        rule('id: tent\nwhen: \'view_item -> hover[category == "tents" and props.colour == "red"]\''),
        rule("id: gone\nwhen: hover -> no purchase within 1m"),
        rule("id: whatever\nwhen: any"),
    ]
)
ANNA, BOB = person("u1", "phone", "laptop"), person("bob")


def fired(warehouse: Warehouse, *asked: str, since: int = NOON) -> set[str]:
    """Return the rules of some that fire for Anna, who is read from the tables as Bob is."""
    rules = frozenset(COMPLETABLE_RULES.by_id[name] for name in asked)
    states = {
        who: PersonState(who, history, since=since)
        for who, history in read_histories(
            warehouse, [ANNA, BOB], COMPLETABLE_RULES.scope.wanted, since, NOON + 1000
        ).items()
    }
    candidates = {states[ANNA]: Candidate(since, rules), states[BOB]: Candidate(NOON, rules)}
    found = turn(candidates, COMPLETABLE_RULES.completions, NOON + 1000).fired
    assert BOB not in {one.state.person for one in found}
    return {one.compiled.rule.id for one in found}


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
def test_rules_whose_last_step_takes_an_event_fire(
    warehouse: Warehouse, fields: dict[str, Any], expected: set[str]
) -> None:
    store(warehouse, event_row("view_item", "phone", NOON - 1), event_row("hover", "laptop", **fields))
    assert fired(warehouse, "lingers", "tent") == expected


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
    assert fired(warehouse, "gone", "whatever") == expected


def test_only_rules_that_were_to_be_asked_fire(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", "phone", duration_ms=3000))
    assert fired(warehouse, "lingers") == {"lingers"}


def test_one_visitors_late_news_makes_nobody_else_be_asked_about_what_is_over(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", "phone", NOON - 500), event_row("hover", "bob", NOON - 500))
    assert fired(warehouse, "whatever", since=NOON - 500) == {"whatever"}


@given(st.randoms(use_true_random=True))
@settings(max_examples=1000, deadline=None)
def test_no_match_is_ever_left_out(random: Random) -> None:
    generate = Generator(random)
    rules = LiveRules([compiled(generate.rule()).rule])
    history = history_of(generate.events())
    since, until = sorted((generate.instant(), generate.instant() + generate.span()))
    (only,) = rules.by_id.values()
    found = completed_rules(rules.completions, Candidate(since, frozenset({only})), history.events, until)
    if only.matches(history, since, until):
        assert found == {only}
