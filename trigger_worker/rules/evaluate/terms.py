"""Compile the terms of expressions: counts, aggregates, latest values, times since and message facts."""

from __future__ import annotations

from collections.abc import Callable

from trigger_worker.rules.evaluate.aggregates import AGGREGATES, WindowAggregate
from trigger_worker.rules.evaluate.event import Value
from trigger_worker.rules.evaluate.history import History, Moment
from trigger_worker.rules.evaluate.selector import compile_selection
from trigger_worker.rules.language.lookback import LAST_VALUE_LOOKBACK_MS, term_lookback_ms
from trigger_worker.rules.language.render import render
from trigger_worker.rules.language.syntax import Aggregate, Count, EventTerm, FirstOrLast, MessageFact, Since

#: A compiled expression: a function from a visitor at an instant to a value.
Term = Callable[[Moment], Value]


def compile_term(node: EventTerm | MessageFact) -> Term:
    """Return the function of a term over events, or of a fact about a firing's message."""
    match node:
        case Count():
            return _count(node)
        case Aggregate():
            return _aggregate(node)
        case FirstOrLast():
            return _first_or_last(node)
        case Since():
            return _since(node)
        case MessageFact():
            return compile_fact(render(node))


def compile_fact(name: str) -> Term:
    """Return the function that reads a fact of the moment, such as `goal_reached`; an absent fact is false."""
    return lambda moment: moment.facts.get(name, False)


def _count(node: Count) -> Term:
    selector, window_ms = compile_selection(node.selection), node.window.ms

    def count(moment: Moment) -> float:
        first, end = moment.history.select(selector).span(moment.at, window_ms)
        return float(end - first)

    return count


def _aggregate(node: Aggregate) -> Term:
    selector, window_ms, field = compile_selection(node.selection), node.window.ms, node.field
    key = f"{node.function}({selector.key}.{field.path}, {window_ms})"
    make = AGGREGATES[node.function]

    def derive(history: History) -> WindowAggregate:
        return make(history.field(selector, field))

    def aggregate(moment: Moment) -> Value:
        first, end = moment.history.select(selector).span(moment.at, window_ms)
        return _slide(moment.history, moment.history.derived(key, derive), first, end)

    return aggregate


def _slide(history: History, window: WindowAggregate, first: int, end: int) -> Value:
    """Return the aggregate of a slice, which counts as so many events looked at."""
    before = window.examined
    value = window.of(first, end)
    history.examined += window.examined - before
    return value


def _first_or_last(node: FirstOrLast) -> Term:
    selector, field, is_last = compile_selection(node.selection), node.field, node.function == "last"

    def first_or_last(moment: Moment) -> Value:
        first, end = moment.history.select(selector).span(moment.at, LAST_VALUE_LOOKBACK_MS)
        if first == end:
            return None
        return moment.history.field(selector, field)[end - 1 if is_last else first]

    return first_or_last


def _since(node: Since) -> Term:
    selector, lookback_ms = compile_selection(node.selection), term_lookback_ms(node)

    def since(moment: Moment) -> Value:
        selected = moment.history.select(selector)
        first, end = selected.span(moment.at, lookback_ms)
        return float(moment.at - selected.times[end - 1]) if first < end else None

    return since
