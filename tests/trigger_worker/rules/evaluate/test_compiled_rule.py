"""A whole rule, asked of visitors."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from tests.trigger_worker.rules.evaluate.support import NOON, event, fired_at, ms, rule
from trigger_worker.rules.evaluate.compiled_rule import compile_rule, fire_id, firings
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.pattern import Match
from trigger_worker.rules.model import NO_AUDIENCES

SENDING = """
when: add_to_cart
send:
  - email: reminder
    if: cart.value > 10
    unless: opened(email) or goal_reached
"""


def test_if_is_asked_at_the_instant_of_the_match_and_before_every() -> None:
    events = [event("a"), event("a", "1h", device="mobile"), event("a", "2h", device="mobile")]
    assert fired_at('when: a\nif: device == "mobile"\nevery: 3h', events) == [ms("1h")]


def test_if_sees_all_of_the_visitor_whatever_the_key() -> None:
    events = [event("a", product_id="p1"), event("a", "1s", product_id="p2")]
    assert fired_at("when: a\nif: count(a, 1h) == 2\nkey: product_id", events) == [1000]


def test_if_sees_events_of_the_same_instant() -> None:
    events = [event("a", event_id="x1"), event("b", event_id="x2")]
    assert fired_at("when: a\nif: count(b, 1h) == 1", events) == [0]


def test_every_is_24_hours_unless_told() -> None:
    events = [event("a"), event("a", "23h"), event("a", "24h")]
    assert fired_at("when: a\nevery: 24h", events) == [0, ms("24h")]


def test_a_rule_gives_its_firings_for_one_visitor() -> None:
    fired = compile_rule(rule("when: a"), NO_AUDIENCES).firings(History([event("a")]), NOON, NOON, {})
    assert [(match.key, match.at) for match in fired] == [("", NOON)]


@pytest.mark.parametrize(
    ("value", "facts", "expected"),
    [
        (20, {}, True),
        (10, {}, False),
        (20, {"opened(email)": True}, False),
        (20, {"goal_reached": True}, False),
        (20, {"clicked(email)": True}, True),
    ],
)
def test_a_message_goes_by_its_own_conditions(value: int, facts: dict[str, bool], expected: bool) -> None:
    subject = rule(SENDING)
    compiled = compile_rule(subject, NO_AUDIENCES)
    history = History([event("add_to_cart", value=value)])
    assert compiled.may_send(subject.send[0], history, NOON, facts) is expected


def test_a_message_without_conditions_goes() -> None:
    subject = rule("when: a\nsend: [{banner: bar}]")
    compiled = compile_rule(subject, NO_AUDIENCES)
    assert compiled.may_send(subject.send[0], History([]), NOON, {}) is True


def test_an_explanation_is_of_if() -> None:
    explained = compile_rule(rule("when: a\nif: cart.value > 5"), NO_AUDIENCES).explain(History([]), NOON)
    assert explained is not None
    assert explained.value is False
    assert compile_rule(rule("when: a"), NO_AUDIENCES).explain(History([]), NOON) is None


def match(at: int, key: str = "") -> Match:
    return Match(key, at, event("a"))


@pytest.mark.parametrize(
    ("instants", "every_ms", "fired_before", "expected"),
    [
        ([0, 5, 10, 19, 20], 10, {}, [0, 10, 20]),
        ([0, 9, 10], 10, {}, [0, 10]),
        ([5, 6, 7], 0, {}, [5, 6, 7]),
        ([5, 5], 0, {}, [5]),
        ([5, 15], 10, {"": [0]}, [15]),
        ([10], 10, {"": [0]}, [10]),
        ([10], 0, {"": [10]}, []),
        ([10, 20, 25], 10, {"": [22]}, [10]),
        ([5, 10, 20, 30, 40], 10, {"": [0, 25]}, [10, 40]),
        ([5, 6, 7], 0, {"": [5, 7]}, [6]),
        ([], 10, {}, []),
    ],
)
def test_a_match_fires_unless_another_is_too_near(
    instants: list[int], every_ms: int, fired_before: dict[str, list[int]], expected: list[int]
) -> None:
    fired = firings([match(at) for at in instants], every_ms, fired_before)
    assert [each.at for each in fired] == expected


def test_keys_are_counted_apart() -> None:
    fired = firings([match(0, "a"), match(1, "b"), match(2, "a")], 10, {"b": [0]})
    assert [(each.key, each.at) for each in fired] == [("a", 0)]


def test_a_match_that_does_not_qualify_stops_none() -> None:
    fired = firings([match(0), match(5)], 10, {}, lambda each: each.at > 0)
    assert [each.at for each in fired] == [5]


def test_the_id_of_a_firing_depends_on_rule_version_visitor_key_and_instant() -> None:
    first, other = rule("when: a"), rule("when: b")
    renamed = msgspec.structs.replace(first, id="r2")
    ids = [
        fire_id(first, "v1", match(0)),
        fire_id(other, "v1", match(0)),
        fire_id(renamed, "v1", match(0)),
        fire_id(first, "v2", match(0)),
        fire_id(first, "v1", match(1)),
        fire_id(first, "v1", match(0, "k")),
    ]
    assert len(set(ids)) == len(ids)
    assert fire_id(first, "v1", match(0)) == ids[0]
    assert UUID(ids[0]).version == 5


@pytest.mark.parametrize(
    ("goal", "after", "now", "expected"),
    [
        ("purchase", "1h", "2h", True),
        ("purchase", "0s", "2h", False),
        ("purchase", "-1h", "2h", False),
        ("purchase", "2h", "2h", True),
        ("purchase", "3h", "2h", False),
        ("purchase within 1h", "1h", "2h", True),
        ("purchase within 1h", "61m", "2h", False),
        ("purchase[value >= 50]", "1h", "2h", True),
        ("purchase[value > 50]", "1h", "2h", False),
        ("(sign_up or purchase)", "1h", "2h", True),
        ("sign_up", "1h", "2h", False),
    ],
)
def test_the_goal_must_happen_after_the_firing_and_in_its_window(
    goal: str, after: str, now: str, expected: bool
) -> None:
    history = History([event("purchase", after, value=50)])
    compiled = compile_rule(rule(f"when: hover\ngoal: '{goal}'"), NO_AUDIENCES)
    assert compiled.goal_reached(history, NOON, NOON + ms(now)) is expected


def test_the_first_event_of_the_goal_counts() -> None:
    history = History([event("purchase", after) for after in ("-1h", "1h", "2h")])
    compiled = compile_rule(rule("when: hover\ngoal: purchase within 1h"), NO_AUDIENCES)
    assert compiled.goal_instant(history, NOON) == NOON + ms("1h")
    assert compiled.goal_instant(history, NOON + 1) == NOON + ms("1h")
    assert compiled.goal_instant(history, NOON + ms("1h")) == NOON + ms("2h")
    assert compiled.goal_instant(history, NOON + ms("2h")) is None


def test_without_a_goal_none_is_reached() -> None:
    compiled = compile_rule(rule("when: hover"), NO_AUDIENCES)
    assert compiled.goal_reached(History([event("purchase", "1h")]), NOON, NOON + ms("2h")) is False
    assert compiled.goal_needs(1000) == []


def test_a_goal_looks_at_its_events_since_the_firing() -> None:
    compiled = compile_rule(rule("when: hover\ngoal: purchase[value > 50] within 3d"), NO_AUDIENCES)
    (needs,) = compiled.goal_needs(1000)
    assert needs.lookback_ms == {"purchase": 1000}
    assert needs.fields == {"value"}
