"""List the names that have a meaning of their own in conditions and expressions, and the channels."""

from __future__ import annotations

from typing import Final

from trigger_worker.rules.language.syntax import Expression, Name, children
from warehouse.channel_traits import CHANNEL_TRAITS

#: The property of events that holds a duration in ms, and the name under which it is read as a duration.
DURATION_FIELD: Final = "duration_ms"
DURATION_NAME: Final = "duration"

#: A prefix of names: look among the properties or traits only, so a custom one may have any name.
PROPERTIES_PREFIX: Final = "props"
TRAITS_PREFIX: Final = "traits"
#: The property of `identify` with traits that count only for who has none of the name yet.
TRAITS_ONCE: Final = "traits_once"

#: Names of an expression whose value is computed from the history.
CART_VALUE: Final = ("cart", "value")
CART_ITEMS: Final = ("cart", "items")
LOCAL_HOUR: Final = ("local_hour",)
LOCAL_WEEKDAY: Final = ("local_weekday",)
STAGE: Final = ("stage",)
GOAL_REACHED: Final = ("goal_reached",)

#: The channels that a rule file may name.
CHANNELS: Final = tuple(CHANNEL_TRAITS)


def names_currency(node: Expression | None) -> bool:
    """Tell whether a condition on an event names its currency, and so may be asked about any."""
    if node is None:
        return False
    if isinstance(node, Name):
        return field_path(node) == ("currency",)
    return any(map(names_currency, children(node)))


def field_path(name: Name) -> tuple[str, ...]:
    """Return the path in an event's fields at which a name of a condition is found."""
    if name.path == (DURATION_NAME,):
        return (DURATION_FIELD,)
    if name.path[0] == PROPERTIES_PREFIX and len(name.path) > 1:
        return name.path[1:]
    return name.path
