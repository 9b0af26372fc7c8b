"""Audiences inside expressions, and explanations."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import NOON, audiences, event, value_of
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.expression import ExpressionCompiler
from trigger_worker.rules.evaluate.history import History, Moment
from trigger_worker.rules.language.parse import parse_expression
from trigger_worker.rules.model import NO_AUDIENCES
from warehouse.errors import RuleError

AUDIENCES = audiences(
    """
segments:
  high_intent: count(view_item, 24h) >= 2 or since(add_to_cart) <= 24h
  keen: segment("high_intent") and score("heat") > 5
stages:
  loyal: count(purchase, 365d) >= 2
  customer: count(purchase, 365d) >= 1
scores:
  heat: 4 * count(view_item, 7d)
  cold: -1
  unknown: 1 / 0
"""
)
VIEWS = [event("view_item", f"-{minutes}m") for minutes in (1, 2, 3)]
BUYS = [event("purchase", "-1d"), event("purchase", "-2d")]


@pytest.mark.parametrize(
    ("expression", "events", "expected"),
    [
        ('segment("high_intent")', VIEWS, True),
        ('segment("high_intent")', [], False),
        ('segment("keen")', VIEWS, True),
        ('score("heat")', VIEWS[:1], 4.0),
        ('score("heat")', VIEWS, 10.0),
        ('score("cold")', [], 0.0),
        ('score("unknown")', [], None),
        ("stage", BUYS, "loyal"),
        ("stage", BUYS[:1], "customer"),
        ("stage", [], None),
        ('stage == "loyal"', BUYS, True),
        ('stage in ["customer", "loyal"]', BUYS[:1], True),
    ],
)
def test_an_audience_comes_to(expression: str, events: list[Event], expected: object) -> None:
    assert value_of(expression, events, audiences=AUDIENCES) == expected


def test_an_audience_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(RuleError, match='there is no segment "ghost"'):
        ExpressionCompiler(NO_AUDIENCES).compile(parse_expression('segment("ghost")'))


def test_an_explanation_shows_each_part_and_what_it_came_to() -> None:
    node = parse_expression('segment("keen") and not count(view_item, 2m) > 5')
    explained = ExpressionCompiler(AUDIENCES).explain(node, Moment(History(VIEWS), NOON))
    assert (explained.text, explained.value) == ('segment("keen") and not count(view_item, 2m) > 5', True)
    segment, negation = explained.children
    assert [part.text for part in segment.children[0].children] == [
        'segment("high_intent")',
        'score("heat") > 5',
    ]
    (comparison,) = negation.children
    assert [(part.text, part.value) for part in comparison.children] == [("count(view_item, 2m)", 1.0), ("5", 5.0)]
