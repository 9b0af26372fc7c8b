"""A visitor who goes on is answered as one whose history is made anew at each instant, at the cost of what is new."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate import reference
from tests.trigger_worker.rules.evaluate.generate import INSTANTS, Generator
from tests.trigger_worker.rules.evaluate.support import NOON, rule
from tests.trigger_worker.rules.evaluate.test_agreement import compiled
from trigger_worker.rules.evaluate import aggregates, pattern
from trigger_worker.rules.evaluate.compiled_rule import compile_rule
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.expression import ExpressionCompiler
from trigger_worker.rules.evaluate.history import History, Moment
from trigger_worker.rules.language.parse import parse_expression
from trigger_worker.rules.model import NO_AUDIENCES

EVENTS = 400
SECOND_MS = 1_000
randoms = st.randoms(use_true_random=True)


@pytest.fixture(autouse=True)
def keeping_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep count of small windows and chains, too: the generated ones are small."""
    monkeypatch.setattr(aggregates, "SMALL_WINDOW", 1)
    monkeypatch.setattr(pattern, "SMALL_CHAIN", 0)


def _cases(function: Callable[[Random], None]) -> Callable[[Random], None]:
    # The fixture changes what is the same for all cases.
    quiet = [HealthCheck.function_scoped_fixture]
    return given(randoms)(settings(max_examples=500, deadline=None, suppress_health_check=quiet)(function))


def _events(generate: Generator) -> list[Event]:
    records = {record["id"]: record for _ in range(4) for record in generate.events()}
    events = [Event(each["name"], each["ts"], each["id"], each["fields"]) for each in records.values()]
    return sorted(events, key=lambda each: (each.ts, each.event_id))


@_cases
def test_terms_of_a_history_that_grows(random: Random) -> None:
    generate = Generator(random)
    nodes = [parse_expression(reference.operand_text(generate.term())) for _ in range(4)]
    terms = [ExpressionCompiler(NO_AUDIENCES).compile(node) for node in nodes]
    events, grown = _events(generate), History([], {})
    for count in range(1, len(events) + 1):
        grown.add(events[count - 1 : count])
        # Mostly later than before, as a visitor goes on; sometimes of a wait or a late event, earlier.
        at = events[count - 1].ts if random.random() < 0.7 else random.randrange(INSTANTS) * generate.unit
        made = History(events[:count], {})
        for node, term in zip(nodes, terms, strict=True):
            assert term(Moment(grown, at)) == term(Moment(made, at)), (node, at)


@_cases
def test_matches_of_a_history_that_grows(random: Random) -> None:
    generate = Generator(random)
    rules = [compiled(generate.rule()) for _ in range(4)]
    events, grown = _events(generate), History([], {})
    for count in range(1, len(events) + 1):
        grown.add(events[count - 1 : count])
        until = events[count - 1].ts + random.choice([0, 0, generate.span()])
        since = until if random.random() < 0.5 else random.randrange(INSTANTS) * generate.unit
        made = History(events[:count], {})
        for each in rules:
            assert each.matches(grown, since, until) == each.matches(made, since, until), each.rule.when


#: Rules that look at much of a visitor who browses, each with the condition of no event.
LOOKING_FAR = {
    "uniq": "when: view_item\nif: uniq(view_item.product_id, 7d) > 1000000",
    "sum": "when: view_item\nif: sum(view_item.price, 7d) < 0",
    "sum of large numbers": "when: view_item\nif: sum(view_item.large, 7d) < 0",
    "avg": "when: view_item\nif: avg(view_item.price, 7d) < 0",
    "min": "when: view_item\nif: min(view_item.price, 7d) < 0",
    "max": "when: view_item\nif: max(view_item.price, 7d) < 0",
    "count": "when: view_item\nif: count(view_item, 7d) < 0",
    "the cart": "when: add_to_cart\nif: cart.value < 0 or cart.items < 0",
    "a trait": "when: identify\nif: traits.plan == 'pro'",
    "two steps": "when: page_view -> view_item within 1m\nif: count(view_item, 7d) < 0",
    "one of two steps": "when: search -> view_item within 1m",
    "steps by key": "when: view_item -> view_item\nkey: product_id\nif: count(view_item, 7d) < 0",
    "an absence": "when: page_view -> view_item -> no purchase within 10s",
    "an absence by key": "when: view_item -> no purchase within 10s\nkey: product_id",
    "firings": "when: view_item",
}
NAMES = ("page_view", "view_item", "add_to_cart", "view_item", "identify")


@pytest.mark.parametrize("text", LOOKING_FAR.values(), ids=LOOKING_FAR.keys())
def test_each_event_of_a_visitor_who_goes_on_costs_the_same(text: str) -> None:
    asked = compile_rule(rule(f"{text}\nevery: 0"), NO_AUDIENCES)
    costs: list[int] = []
    history, fired = History([], {}), list[int]()
    for number in range(4 * EVENTS):
        fields = {
            "product_id": f"p{number % 97}",
            "price": float(number % 89),
            "large": 1e300 if number % 2 else -1e300,
            "value": 2.0,
            "quantity": 1.0,
            "traits": {"plan": "free"},
        }
        at = NOON + number * SECOND_MS
        history.add([Event(NAMES[number % len(NAMES)], at, f"{number:06}", fields)])
        before = history.examined
        since = at - asked.needs.wait_ms
        fired += [match.at for match in asked.firings(history, since, at, {"": fired})]
        costs.append(history.examined - before)
    first, last = costs[EVENTS : 2 * EVENTS], costs[-EVENTS:]
    assert sum(last) <= 1.2 * sum(first) + EVENTS
