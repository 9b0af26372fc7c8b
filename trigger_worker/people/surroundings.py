"""A person's surroundings, such as device and time zone, as changes over time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Instants (epoch ms) at which a field changed, and to what, in order. The latest event that told the field is there,
#: too, though it changed nothing: whatever is later than it is in order.
Changes = list[tuple[int, str]]


class Surroundings:
    """The values of context fields over time; nearly every event carries them, and few differ from those before.

    Args:
        changes: by field, its changes.
    """

    __slots__ = ("changes",)

    def __init__(self, changes: Mapping[str, Sequence[tuple[int, str]]] | None = None) -> None:
        self.changes: dict[str, Changes] = {field: list(known) for field, known in (changes or {}).items()}

    def fit(self, at: int, fields: Mapping[str, Any], wanted: frozenset[str]) -> bool:
        """Tell whether the values of an event can be added.

        Those of an event that came late cannot where they differ from the values around it: which of the events after
        it repeated those is not remembered.

        Args:
            at: the instant of the event, epoch ms.
            fields: the fields of the event.
            wanted: the context fields that are kept.
        """
        return all(self._fits(field, at, value) for field, value in _told(fields, wanted))

    def add(self, at: int, fields: Mapping[str, Any], wanted: frozenset[str]) -> None:
        """Add the values of an event that fits; the arguments are those of `fit`."""
        for field, value in _told(fields, wanted):
            self._add(self.changes.setdefault(field, []), at, value)

    def _fits(self, field: str, at: int, value: str) -> bool:
        changes = self.changes.get(field)
        if not changes or at > changes[-1][0]:
            return True
        place = bisect_right(changes, at, key=_instant)
        return changes[max(place - 1, 0)][1] == value

    def _add(self, changes: Changes, at: int, value: str) -> None:
        if not changes or at > changes[-1][0]:
            if len(changes) > 1 and changes[-2][1] == changes[-1][1] == value:
                changes.pop()
            changes.append((at, value))
        elif at < changes[0][0]:
            if len(changes) > 1 and changes[1][1] == value:
                changes.pop(0)
            changes.insert(0, (at, value))


def _told(fields: Mapping[str, Any], wanted: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields that an event tells; what is no text is a property that no column could hold."""
    for field in wanted:
        value = fields.get(field)
        if isinstance(value, str) and value:
            yield field, value


def _instant(change: tuple[int, str]) -> int:
    return change[0]
