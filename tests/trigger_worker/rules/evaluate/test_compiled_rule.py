"""A whole rule, asked of visitors."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import NOON, event, fired_at, ms, rule
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule, evaluate
from trigger_worker.rules.evaluate.expression import ExpressionCompiler
from trigger_worker.rules.evaluate.history import History
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


def test_evaluate_gives_the_firings_of_one_rule() -> None:
    fired = evaluate(rule("when: a"), History([event("a")]), NOON, NOON, {}, NO_AUDIENCES)
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
    compiled = CompiledRule(subject, ExpressionCompiler(NO_AUDIENCES))
    history = History([event("add_to_cart", value=value)])
    assert compiled.may_send(subject.send[0], history, NOON, facts) is expected


def test_a_message_without_conditions_goes() -> None:
    subject = rule("when: a\nsend: [{banner: bar}]")
    compiled = CompiledRule(subject, ExpressionCompiler(NO_AUDIENCES))
    assert compiled.may_send(subject.send[0], History([]), NOON, {}) is True


def test_an_explanation_is_of_if() -> None:
    explained = CompiledRule(rule("when: a\nif: cart.value > 5"), ExpressionCompiler(NO_AUDIENCES)).explain(
        History([]), NOON
    )
    assert explained is not None
    assert explained.value is False
    assert CompiledRule(rule("when: a"), ExpressionCompiler(NO_AUDIENCES)).explain(History([]), NOON) is None
