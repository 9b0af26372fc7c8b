"""The terms of an expression: what is asked of a visitor's history at an instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import fsum
from typing import Final

from trigger_worker.rules.evaluate.moment import Moment
from trigger_worker.rules.evaluate.selector import compile_selection
from trigger_worker.rules.evaluate.value import Value
from trigger_worker.rules.language.lookback import LAST_VALUE_LOOKBACK_MS, since_ms
from trigger_worker.rules.language.syntax import Aggregate, Count, FirstOrLast, MessageFact, Since

Term = Callable[[Moment], Value]


def compile_term(node: Count | Aggregate | FirstOrLast | Since | MessageFact) -> Term:
    """Compiles a term over events, or a fact about a firing's message."""
    match node:
        case Count():
            return _count(node)
        case Aggregate():
            return _aggregate(node)
        case FirstOrLast():
            return _edge(node)
        case Since():
            return _since(node)
        case MessageFact(fact=fact, channel=channel):
            return compile_fact(f"{fact}({channel})")


def compile_fact(name: str) -> Term:
    """Compiles the asking for a fact that is handed in with the moment."""
    return lambda moment: moment.facts.get(name, False)


def _count(node: Count) -> Term:
    selector, window_ms = compile_selection(node.selection), node.window.ms

    def count(moment: Moment) -> float:
        first, end = moment.history.select(selector).span(moment.at, window_ms)
        return float(end - first)

    return count


def _aggregate(node: Aggregate) -> Term:
    selector, window_ms, field = compile_selection(node.selection), node.window.ms, node.field
    reduce = _REDUCE[node.function]

    def aggregate(moment: Moment) -> Value:
        first, end = moment.history.select(selector).span(moment.at, window_ms)
        return reduce(moment.history.field(selector, field)[first:end])

    return aggregate


def _edge(node: FirstOrLast) -> Term:
    selector, field, is_last = compile_selection(node.selection), node.field, node.function == "last"

    def edge(moment: Moment) -> Value:
        first, end = moment.history.select(selector).span(moment.at, LAST_VALUE_LOOKBACK_MS)
        if first == end:
            return None
        return moment.history.field(selector, field)[end - 1 if is_last else first]

    return edge


def _since(node: Since) -> Term:
    selector, lookback_ms = compile_selection(node.selection), since_ms(node.selection)

    def since(moment: Moment) -> Value:
        selected = moment.history.select(selector)
        first, end = selected.span(moment.at, lookback_ms)
        return float(moment.at - selected.times[end - 1]) if first < end else None

    return since


def _numbers(values: Sequence[Value]) -> list[float]:
    return [value for value in values if type(value) is float]


def _sum(values: Sequence[Value]) -> Value:
    """Exactly rounded, so that the order of events and the start of the history change nothing."""
    return _total(_numbers(values))


def _total(numbers: Sequence[float]) -> Value:
    try:
        return fsum(numbers)
    except OverflowError:
        return None


def _average(values: Sequence[Value]) -> Value:
    numbers = _numbers(values)
    total = _total(numbers)
    return total / len(numbers) if numbers and type(total) is float else None


def _unique(values: Sequence[Value]) -> Value:
    """A truth and a number are never the same value, though Python finds them equal."""
    return float(len({(type(value), value) for value in values if value is not None}))


_REDUCE: Final[dict[str, Callable[[Sequence[Value]], Value]]] = {
    "sum": _sum,
    "avg": _average,
    "min": lambda values: min(_numbers(values), default=None),
    "max": lambda values: max(_numbers(values), default=None),
    "uniq": _unique,
}
