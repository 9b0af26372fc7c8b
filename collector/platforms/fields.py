"""Reads a platform's payload field by field: whatever has another type than documented is noted, and nothing fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, Final

#: PayloadFields that are noted of one payload; of more, one note tells.
MAX_UNREAD: Final = 20
#: Entries of a list that are read: no order has more lines.
MAX_ENTRIES: Final = 1000
_EMPTY: Final[Mapping[str, Any]] = {}


class PayloadFields:
    """An object of a payload, whose fields are read by the type that the platform documents.

    Args:
        value: the object.
        place: where it is in the payload, '' for the payload itself.
        unread: takes the place of each field that has another type, and what was expected there.
    """

    def __init__(self, value: Mapping[str, Any], place: str, unread: list[str]) -> None:
        self._value = value
        self._place = place
        self._unread = unread

    def __bool__(self) -> bool:
        return bool(self._value)

    def has(self, name: str) -> bool:
        """Tell whether a field is there, even if it is null."""
        return name in self._value

    def is_text(self, name: str) -> bool:
        """Tell whether a field is a text."""
        return isinstance(self._value.get(name), str)

    def text(self, *names: str) -> str:
        """Return the first of some fields that is there: a text, or a number that is an id, exact; else ''."""
        return next((text for name in names if (text := self._text(name))), "")

    def number(self, name: str) -> float | None:
        """Return an amount or a quantity, which platforms write as a number or as text; None where there is none."""
        value = self._value.get(name)
        if value is None or value == "":
            return None
        try:
            number = None if isinstance(value, bool) or not isinstance(value, (int, float, str)) else float(value)
        except (ValueError, OverflowError):
            number = None
        if number is None or not isfinite(number):
            self.note(name, "a number")
            return None
        return number

    def flag(self, name: str) -> bool | None:
        """Return a yes or no, None where there is none."""
        value = self._value.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.note(name, "true or false")
        return None

    def inner(self, name: str) -> PayloadFields:
        """Return an object inside this one, an empty one where there is none."""
        value = self._value.get(name)
        if value is not None and not isinstance(value, dict):
            self.note(name, "an object")
        return PayloadFields(value if isinstance(value, dict) else _EMPTY, self._at(name), self._unread)

    def each(self, name: str) -> Iterator[PayloadFields]:
        """Yield the objects of a list inside this one."""
        value = self._value.get(name)
        if value is None:
            return
        if not isinstance(value, list):
            self.note(name, "a list")
            return
        if len(value) > MAX_ENTRIES:
            self.note(name, f"a list of {MAX_ENTRIES} at most")
        for place, entry in enumerate(value[:MAX_ENTRIES]):
            if isinstance(entry, dict):
                yield PayloadFields(entry, f"{self._at(name)}[{place}]", self._unread)
            else:
                self.note(f"{name}[{place}]", "an object")

    def note(self, name: str, expected: str) -> None:
        """Note that a field is passed over.

        Args:
            name: of the field.
            expected: what it should have been.
        """
        self.remark(name, f"is not {expected}: passed over")

    def remark(self, name: str, said: str) -> None:
        """Note something about a field, in words that follow its place."""
        if len(self._unread) < MAX_UNREAD:
            self._unread.append(f"{self._at(name)} {said}")

    def _text(self, name: str) -> str:
        value = self._value.get(name)
        if value is None:
            return ""
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return _digits(value)
        if isinstance(value, float) and value.is_integer():
            return _digits(int(value))
        self.note(name, "a text")
        return ""

    def _at(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name


def _digits(value: int) -> str:
    # Python refuses to write a number of thousands of digits; no id has so many.
    return str(value) if value.bit_length() < 256 else ""
