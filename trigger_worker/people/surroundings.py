"""A person's surroundings, such as device and time zone, as changes over time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from trigger_worker.rules.evaluate.event import Event, about_visitor

#: Instants (epoch ms) at which a field changed, and to what, in order.
Changes = list[tuple[int, str]]


class Surroundings:
    """The values of context fields over time; nearly every event carries them, and few differ from those before.

    Args:
        told: by field, the instants (epoch ms) at which it changed, to what, and the id of the event that tells; the
            latest event that tells of it comes last, even if it changes nothing.

    Attributes:
        changes: by field, its changes.
    """

    __slots__ = ("_latest", "changes")

    def __init__(self, told: Mapping[str, Sequence[tuple[int, str, str]]] | None = None) -> None:
        known = {field: each for field, each in (told or {}).items() if each}
        self.changes: dict[str, Changes] = {
            field: [(at, value) for at, value, _ in each] for field, each in known.items()
        }
        #: By field, the place in order (instant and id) of the latest event that tells of it.
        self._latest = {field: (each[-1][0], each[-1][2]) for field, each in known.items()}

    def fit(self, event: Event, wanted: frozenset[str]) -> bool:
        """Tell whether the values of an event can be added.

        Those of an event that came late cannot where they differ from the values around it: which of the events after
        it repeated those is not remembered.

        Args:
            event: the event.
            wanted: the context fields that are kept.
        """
        return all(self._fits(field, event, value) for field, value in _told(event, wanted))

    def add(self, event: Event, wanted: frozenset[str]) -> None:
        """Add the values of an event that fits; the arguments are those of `fit`."""
        for field, value in _told(event, wanted):
            self._add(field, event, value)

    def _fits(self, field: str, event: Event, value: str) -> bool:
        latest = self._latest.get(field)
        if latest is None or (event.ts, event.event_id) > latest:
            return True
        changes = self.changes[field]
        place = bisect_right(changes, event.ts, key=_instant)
        return changes[max(place - 1, 0)][1] == value

    def _add(self, field: str, event: Event, value: str) -> None:
        changes = self.changes.setdefault(field, [])
        place, latest = (event.ts, event.event_id), self._latest.get(field)
        if latest is None or place > latest:
            self._latest[field] = place
            if not changes or changes[-1][1] != value:
                changes.append((event.ts, value))
        elif event.ts < changes[0][0]:
            changes[0] = (event.ts, value)


def _told(event: Event, wanted: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields that an event tells; what is no text tells nothing."""
    for field in wanted:
        value = about_visitor(event, field)
        if isinstance(value, str) and value:
            yield field, value


def _instant(change: tuple[int, str]) -> int:
    return change[0]
