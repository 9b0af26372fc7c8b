"""What the names inside conditions and expressions stand for."""

from __future__ import annotations

from typing import Final

from trigger_worker.rules.language.syntax import Name

#: The property that every event may carry, and its reading as a duration.
DURATION_FIELD: Final = "duration_ms"
DURATION_NAME: Final = "duration"

#: Before a name: look among the properties only, so a custom one may be called anything.
PROPERTIES_PREFIX: Final = "props"
TRAITS_PREFIX: Final = "traits"

#: Names of an expression that are worked out, not looked up.
CART_VALUE: Final = ("cart", "value")
CART_ITEMS: Final = ("cart", "items")
LOCAL_HOUR: Final = ("local_hour",)
LOCAL_WEEKDAY: Final = ("local_weekday",)
STAGE: Final = ("stage",)
GOAL_REACHED: Final = ("goal_reached",)

#: What a rule file may name as a channel.
CHANNELS: Final = ("banner", "email", "sms", "push", "webhook", "chat")


def field_path(name: Name) -> tuple[str, ...]:
    """Returns where a name of a condition is found in an event's fields."""
    if name.path == (DURATION_NAME,):
        return (DURATION_FIELD,)
    if name.path[0] == PROPERTIES_PREFIX and len(name.path) > 1:
        return name.path[1:]
    return name.path
