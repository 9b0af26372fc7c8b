"""What is in a visitor's cart, told from what was put in and taken out since the latest purchase."""

from __future__ import annotations

from math import fsum
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.history import History, Selected
from trigger_worker.rules.evaluate.moment import Moment
from trigger_worker.rules.evaluate.operators import Reader
from trigger_worker.rules.evaluate.selector import Selector
from trigger_worker.rules.evaluate.value import Value
from trigger_worker.rules.language.lookback import LAST_VALUE_LOOKBACK_MS
from trigger_worker.rules.language.syntax import Name

#: The events that change a cart.
CART_EVENTS: Final = ("add_to_cart", "remove_from_cart", "purchase")

_SELECTOR: Final = Selector("(add_to_cart or purchase or remove_from_cart)", frozenset(CART_EVENTS))
_SIGNS: Final = {"add_to_cart": 1.0, "remove_from_cart": -1.0}


class _Changes(msgspec.Struct, frozen=True):
    """What changed a cart, in order.

    Args:
        amounts: by change, what it added; less than 0 for what was taken out.
        starts: by number of changes, where those of the present cart begin.
    """

    selected: Selected
    amounts: list[float]
    starts: list[int]


def compile_cart(field: str, default: float) -> Reader[Moment]:
    """Compiles the sum of a field over what is in the cart.

    Args:
        field: what to sum.
        default: what an event without the field counts.
    """
    key, name = f"cart.{field}", Name(0, (field,))

    def derive(history: History) -> _Changes:
        return _changes(history, name, default)

    def cart(moment: Moment) -> Value:
        changes = moment.history.derived(key, derive)
        first, end = changes.selected.span(moment.at, LAST_VALUE_LOOKBACK_MS)
        try:
            return max(0.0, fsum(changes.amounts[max(first, changes.starts[end]) : end]))
        except OverflowError:
            return None

    return cart


def _changes(history: History, name: Name, default: float) -> _Changes:
    selected = history.select(_SELECTOR)
    amounts, starts = [], [0]
    for place, (event, value) in enumerate(zip(selected.events, history.field(_SELECTOR, name), strict=True)):
        amount = value if type(value) is float else default
        amounts.append(_SIGNS.get(event.name, 0.0) * amount)
        starts.append(place + 1 if event.name not in _SIGNS else starts[-1])
    return _Changes(selected, amounts, starts)
