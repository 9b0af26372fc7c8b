"""Whom to ask what."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, person, visitor
from trigger_worker.live import candidates as module
from trigger_worker.live.candidates import LATE_MS, Candidates, NewestSeen
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.store.feed import Anchor, News

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
    return {who.visitor_id: {live.rule.id for live in one.rules} for who, one in found.by_person.items()}


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
    chosen = {live.rule.id for one in found.by_person.values() for live in one.rules}
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
