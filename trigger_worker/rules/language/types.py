"""The types of values, and how an author would name them."""

from __future__ import annotations

from typing import Final, Literal

#: `unknown` is a custom field or a trait: it takes the type of whatever it meets.
ValueType = Literal["text", "number", "boolean", "duration", "unknown"]

DESCRIPTIONS: Final[dict[ValueType, str]] = {
    "text": "a text",
    "number": "a number",
    "boolean": "true or false",
    "duration": "a duration",
    "unknown": "a value",
}


def agree(first: ValueType, second: ValueType) -> bool:
    """Whether values of both types can be compared."""
    return first == second or "unknown" in {first, second}
