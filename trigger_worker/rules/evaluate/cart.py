"""The worth of a cart and the pieces in it: the one meaning of `cart.value` and `cart.items`, in rules and templates.

A cart is what was added less what was removed since the latest purchase of the last 30 days. It never holds less than
nothing: what is removed beyond it, as from a cart of long ago, takes nothing from what is added later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trigger_worker.rules.evaluate.aggregates import Sum, WindowAggregate, exact_multiple, rounded_multiple
from trigger_worker.rules.evaluate.event import Event, Value, read_field
from trigger_worker.rules.evaluate.history import History, Moment
from trigger_worker.rules.evaluate.selected import Selected
from trigger_worker.rules.evaluate.selector import Selector
from trigger_worker.rules.language.lookback import LAST_VALUE_LOOKBACK_MS
from warehouse.amounts import finite_sum, line_worth, pieces_of, read_number

#: The events that change a cart.
CART_EVENTS: Final = ("add_to_cart", "remove_from_cart", "purchase")
#: Their fields that tell how.
CART_FIELDS: Final = frozenset({"value", "quantity", "price", "product_id", "items"})

#: All of them.
CART_SELECTOR: Final = Selector("(add_to_cart or purchase or remove_from_cart)", frozenset(CART_EVENTS))

#: What an event adds or removes, of its fields and the prices of products that were told before it.
Measure = Callable[[Mapping[str, Any], dict[str, float]], float]


class Held(WindowAggregate):
    """The sum of amounts, which is never below nothing on the way; exact, whatever the window began with."""

    def __init__(self, values: Sequence[Value]) -> None:
        super().__init__(values)
        self._total = 0
        #: Least sums so far, ascending, each with the place behind its last amount: the first is the least of all.
        self._least: deque[tuple[int, int]] = deque()

    def whole(self, values: Sequence[Value]) -> Value:
        """Return what is held after some amounts, worked out anew."""
        numbers = [value for value in values if type(value) is float]
        if all(number >= 0 for number in numbers):
            return Sum(numbers).whole(numbers)
        total = 0
        for number in numbers:
            total = max(0, total + exact_multiple(number))
        return rounded_multiple(total)

    def _clear(self) -> None:
        self._total = 0
        self._least.clear()

    def _enter(self, place: int) -> None:
        if not self._least:
            self._least.append((place, self._total))
        value = self._values[place]
        self._total += exact_multiple(value) if type(value) is float else 0
        while self._least and self._least[-1][1] >= self._total:
            self._least.pop()
        self._least.append((place + 1, self._total))

    def _leave(self, place: int) -> None:
        while self._least and self._least[0][0] <= place:
            self._least.popleft()

    def _result(self) -> Value:
        return rounded_multiple(self._total - self._least[0][1]) if self._least else 0.0


class _Changes:
    """The changes of a cart, in order; they grow with the history.

    Args:
        selected: the events that changed it.
        measure: what each of them adds or removes.
    """

    def __init__(self, selected: Selected, measure: Measure) -> None:
        self.selected = selected
        self._measure = measure
        self._prices: dict[str, float] = {}
        #: By change the amount added; less than 0 for an amount taken out.
        self._amounts: list[Value] = []
        #: By number of changes, the place of the first change of the present cart; a purchase starts a new one.
        self._starts = [0]
        self.held = Held(self._amounts)

    def start_of(self, end: int) -> int:
        """Return the place of the first change of the cart that so many changes have made."""
        for place in range(len(self._amounts), len(self.selected.events)):
            event = self.selected.events[place]
            self._amounts.append(self._amount(event))
            self._starts.append(place + 1 if event.name == "purchase" else self._starts[-1])
        return self._starts[end]

    def _amount(self, event: Event) -> float:
        amount = self._measure(event.fields, self._prices)
        if event.name == "purchase":
            return 0.0
        return amount if event.name == "add_to_cart" else -abs(amount)


def _worth(fields: Mapping[str, Any], prices: dict[str, float]) -> float:
    """Return what an event is worth: its value, else that of its lines; a price that is not told is the last one.

    An amount in a foreign currency is worth nothing here: it cannot be added to the others.
    """
    if fields.get("foreign_currency"):
        return 0.0
    lines = _lines(fields)
    amounts: list[float] = []
    for line in lines:
        product_id, price = product_id_of(line), read_number(line.get("price"))
        if product_id and price is not None:
            prices[product_id] = price
        amount = line_worth(line, prices.get(product_id))
        if amount is not None:
            amounts.append(amount)
    value = read_number(fields.get("value"))
    return (finite_sum(amounts) or 0.0) if value is None else value


def _pieces(fields: Mapping[str, Any], _: dict[str, float]) -> float:
    quantity = read_number(fields.get("quantity"))
    if quantity is not None:
        return quantity
    return finite_sum([pieces_of(line) for line in _lines(fields)]) or 0.0


def _lines(fields: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the products of an event: its items, or the event itself."""
    items = fields.get("items")
    found: list[Mapping[str, Any]] = []
    if isinstance(items, list):
        found = [item for item in items if isinstance(item, dict)]
    return found or [fields]


def product_id_of(line: Mapping[str, Any]) -> str:
    """Return the id of the product of a line as text, '' where it has none."""
    value = read_field(line, ("product_id",))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value or "")


def _compile(name: str, measure: Measure) -> Callable[[Moment], Value]:
    key = f"cart.{name}"

    def derive(history: History) -> _Changes:
        return _Changes(history.select(CART_SELECTOR), measure)

    def cart(moment: Moment) -> Value:
        changes = moment.history.derived(key, derive)
        first, end = changes.selected.span(moment.at, LAST_VALUE_LOOKBACK_MS)
        held = changes.held
        before = held.examined
        first = max(first, changes.start_of(end))
        value = held.of(first, end)
        moment.history.examined += held.examined - before
        return value

    return cart


#: What the products in a cart are worth, and how many there are, at a moment.
cart_value: Final = _compile("value", _worth)
cart_pieces: Final = _compile("items", _pieces)
