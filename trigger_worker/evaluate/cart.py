"""What is in a visitor's cart, told from what was put in and taken out since the latest purchase."""

from __future__ import annotations

from math import fsum
from typing import Final

from trigger_worker.evaluate.moment import Moment
from trigger_worker.evaluate.operators import Reader
from trigger_worker.evaluate.selector import Selector
from trigger_worker.evaluate.windows import RECENT_MS
from trigger_worker.language.syntax import Name

#: The events that change a cart.
CART_EVENTS: Final = ("add_to_cart", "remove_from_cart", "purchase")

_SELECTOR: Final = Selector("(add_to_cart or purchase or remove_from_cart)", frozenset(CART_EVENTS))
_SIGNS: Final = {"add_to_cart": 1.0, "remove_from_cart": -1.0}


def compile_cart(field: str, default: float) -> Reader[Moment]:
    """Compiles the sum of a field over what is in the cart.

    Args:
        field: what to sum.
        default: what an event without the field counts.
    """
    name = Name(0, (field,))

    def cart(moment: Moment) -> float:
        selected = moment.history.select(_SELECTOR)
        amounts = moment.history.field(_SELECTOR, name)
        first, end = selected.span(moment.at, RECENT_MS)
        changes = []
        for place in range(end - 1, first - 1, -1):
            sign = _SIGNS.get(selected.events[place].name)
            if sign is None:
                break
            amount = amounts[place]
            changes.append(sign * (amount if type(amount) is float else default))
        return max(0.0, fsum(changes))

    return cart
