"""Lists of a visitor's events that grow: those that a selector takes, their splits and fields, and values over time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from operator import itemgetter

import msgspec

from trigger_worker.rules.evaluate.event import Event, Value, keys_of
from trigger_worker.rules.evaluate.selector import Fields, Selector
from trigger_worker.rules.language.names import TRAITS_ONCE, TRAITS_PREFIX

_INSTANT = itemgetter(0)
Path = tuple[str, ...]


class Selected(msgspec.Struct, frozen=True, gc=False):
    """The events that a selector takes, in order.

    Args:
        ranks: the places of the events in the history.
        times: the instants of the events, epoch ms.
        events: the events.
    """

    ranks: list[int]
    times: list[int]
    events: list[Event]

    def append(self, rank: int, ts: int, event: Event) -> None:
        """Add an event that comes after the others."""
        self.ranks.append(rank)
        self.times.append(ts)
        self.events.append(event)

    def span(self, at: int, window_ms: int) -> tuple[int, int]:
        """Return first and end of the slice of the events with `at - window_ms < ts <= at`."""
        return bisect_right(self.times, at - window_ms), bisect_right(self.times, at)


class Series(msgspec.Struct, frozen=True, gc=False):
    """A value that changes at instants.

    Args:
        changes: the instants (epoch ms), ascending, each with the value from then on; a list that may grow.
    """

    changes: Sequence[tuple[int, Value]]

    def at(self, instant: int) -> Value:
        """Return the latest value at or before an instant (epoch ms), missing when there is none."""
        place = bisect_right(self.changes, instant, key=_INSTANT)
        return self.changes[place - 1][1] if place else None


class SelectionLists(msgspec.Struct, frozen=True):
    """The events that a selector takes, with their splits and fields; all of it grows together."""

    selector: Selector
    selected: Selected
    splits: dict[Path, dict[str, Selected]] = {}
    fields: dict[Path, tuple[Callable[[Fields], Value], list[Value]]] = {}

    def append(self, rank: int, event: Event) -> None:
        """Add an event that comes after the others, if the selector takes it."""
        test = self.selector.test
        if test is not None and test(event.fields) is not True:
            return
        self.selected.append(rank, event.ts, event)
        for path, parts in self.splits.items():
            put_into_splits(parts, path, rank, event)
        for read, values in self.fields.values():
            values.append(read(event.fields))


def put_into_splits(parts: dict[str, Selected], path: tuple[str, ...], rank: int, event: Event) -> None:
    """Add an event that comes after the others to the split of each of its keys."""
    for key in keys_of(event.fields, path):
        part = parts.get(key)
        if part is None:
            parts[key] = Selected([rank], [event.ts], [event])
        else:
            part.append(rank, event.ts, event)


def tell_trait(changes: list[tuple[int, Value]], path: Path, read: Callable[[Fields], Value], event: Event) -> None:
    """Add what an identify event tells of a trait.

    A trait set to nothing is missing from then on, so its instant stays. One that is told for who has none yet changes
    nothing else.
    """
    traits, once = event.fields.get(TRAITS_PREFIX), event.fields.get(TRAITS_ONCE)
    if isinstance(traits, dict) and path[0] in traits:
        changes.append((event.ts, read(event.fields)))
    elif isinstance(once, dict) and path[0] in once and (not changes or changes[-1][1] is None):
        changes.append((event.ts, read({TRAITS_PREFIX: once})))
