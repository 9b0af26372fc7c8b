"""Compile the terms of expressions: counts, aggregates, latest values, times since, message facts and the cart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from trigger_worker.rules.evaluate.aggregates import AGGREGATES, Sum, WindowAggregate
from trigger_worker.rules.evaluate.event import Value
from trigger_worker.rules.evaluate.history import History, Moment
from trigger_worker.rules.evaluate.operators import Reader
from trigger_worker.rules.evaluate.selected import Selected
from trigger_worker.rules.evaluate.selector import Selector, compile_selection
from trigger_worker.rules.language.lookback import LAST_VALUE_LOOKBACK_MS, term_lookback_ms
from trigger_worker.rules.language.render import render
from trigger_worker.rules.language.syntax import Aggregate, Count, EventTerm, FirstOrLast, MessageFact, Name, Since

#: A compiled expression: a function from a visitor at an instant to a value.
Term = Callable[[Moment], Value]

#: The events that change a cart.
CART_EVENTS: Final = ("add_to_cart", "remove_from_cart", "purchase")

_SELECTOR: Final = Selector("(add_to_cart or purchase or remove_from_cart)", frozenset(CART_EVENTS))
_SIGNS: Final = {"add_to_cart": 1.0, "remove_from_cart": -1.0}


class _Changes:
    """The changes of a cart, in order; they grow with the history.

    Args:
        selected: the events that changed it.
        values: the field of each of them.
        default: the amount of an event without the field.
    """

    def __init__(self, selected: Selected, values: Sequence[Value], default: float) -> None:
        self.selected = selected
        self._values = values
        self._default = default
        #: By change the amount added; less than 0 for an amount taken out.
        self._amounts: list[Value] = []
        #: By number of changes, the place of the first change of the present cart; a purchase starts a new one.
        self._starts = [0]
        self.amounts = Sum(self._amounts)

    def start_of(self, end: int) -> int:
        """Return the place of the first change of the cart that so many changes have made."""
        for place in range(len(self._amounts), len(self._values)):
            name, value = self.selected.events[place].name, self._values[place]
            self._amounts.append(_SIGNS.get(name, 0.0) * (value if type(value) is float else self._default))
            self._starts.append(place + 1 if name not in _SIGNS else self._starts[-1])
        return self._starts[end]


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


def compile_cart(field: str, default: float) -> Reader[Moment]:
    """Return the function of the sum of a field over the products in the cart.

    Args:
        field: the field to sum.
        default: the amount of an event without the field.
    """
    key, name = f"cart.{field}", Name(0, (field,))

    def derive(history: History) -> _Changes:
        return _Changes(history.select(_SELECTOR), history.field(_SELECTOR, name), default)

    def cart(moment: Moment) -> Value:
        changes = moment.history.derived(key, derive)
        first, end = changes.selected.span(moment.at, LAST_VALUE_LOOKBACK_MS)
        total = _slide(moment.history, changes.amounts, max(first, changes.start_of(end)), end)
        return max(0.0, total) if type(total) is float else None

    return cart


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
