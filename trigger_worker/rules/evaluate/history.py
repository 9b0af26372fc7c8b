"""Hold one visitor's events in order, and remember the selections, splits and fields that rules ask for again.

A history grows: an event that comes after the others is added to what is remembered, so that a visitor who browses
costs one event each time, and not the whole history.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from trigger_worker.rules.evaluate.event import Event, Value, keys_of
from trigger_worker.rules.evaluate.selector import Fields, Selector, compile_field
from trigger_worker.rules.language.names import TRAITS_PREFIX
from trigger_worker.rules.language.syntax import Name
from warehouse.vocabulary import MESSAGE_EVENTS

Derived = TypeVar("Derived")

_ORDER = attrgetter("ts", "event_id")


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
        times: the instants, epoch ms, ascending.
        values: one value for each instant.
    """

    times: list[int]
    values: list[Value]

    def at(self, instant: int) -> Value:
        """Return the latest value at or before an instant (epoch ms), missing when there is none."""
        place = bisect_right(self.times, instant)
        return self.values[place - 1] if place else None


class History:
    """The events of one visitor, sorted by `(ts, event_id)`, each `event_id` once.

    Args:
        events: the events in any order; of several with one `event_id` the earliest counts.
        contexts: per context field such as `device` its changes `(epoch ms, value)` in order; None to read them from
            the events.
    """

    def __init__(
        self, events: Iterable[Event], contexts: Mapping[str, Sequence[tuple[int, str]]] | None = None
    ) -> None:
        self._contexts = contexts
        self._context_series: dict[str, Series] = {}
        self._hold(_ordered(events))

    def _hold(self, events: list[Event]) -> None:
        """Hold ordered events, and nothing that was worked out from others."""
        self.events = events
        self._times = [event.ts for event in events]
        self._by_name = _ranks_by_name(events)
        self._ranks: dict[frozenset[str] | None, list[int]] = {}
        self._selected: dict[str, tuple[Selector, Selected]] = {}
        self._splits: dict[tuple[str, tuple[str, ...]], dict[str, Selected]] = {}
        self._fields: dict[tuple[str, tuple[str, ...]], tuple[Callable[[Fields], Value], list[Value]]] = {}
        self._derived: dict[str, Any] = {}
        self._trait_series: dict[tuple[str, ...], Series] = {}
        if self._contexts is None:
            self._context_series = {}

    def add(self, events: Sequence[Event]) -> None:
        """Add events whose ids are new to the history.

        Cost: of each event that comes after the others, the selections that it may belong to; else the whole history.
        """
        ordered = sorted(events, key=_ORDER)
        if ordered and self.events and _ORDER(ordered[0]) < _ORDER(self.events[-1]):
            self._hold(_ordered([*self.events, *ordered]))
            return
        for event in ordered:
            self._append(event)

    def _append(self, event: Event) -> None:
        rank, ts, name = len(self.events), event.ts, event.name
        self.events.append(event)
        self._times.append(ts)
        self._by_name.setdefault(name, []).append(rank)
        for names, ranks in self._ranks.items():
            if name in names if names is not None else name not in MESSAGE_EVENTS:
                ranks.append(rank)
        for key, (selector, selected) in self._selected.items():
            if selector.takes(name) and (selector.test is None or selector.test(event.fields) is True):
                selected.append(rank, ts, event)
                self._append_to_splits(key, rank, event)
        self._derived.clear()
        if name == "identify":
            self._trait_series.clear()
        if self._contexts is None:
            self._context_series.clear()

    def _append_to_splits(self, key: str, rank: int, event: Event) -> None:
        for (selection, path), parts in self._splits.items():
            if selection == key:
                _put_into_splits(parts, path, rank, event)
        for (selection, _), (read, values) in self._fields.items():
            if selection == key:
                values.append(read(event.fields))

    def surround(self, contexts: Mapping[str, Sequence[tuple[int, str]]]) -> None:
        """Set the contexts of the visitor, such as the device over time; call it again whenever one has changed."""
        self._contexts = contexts
        self._context_series.clear()

    def between(self, since: int, until: int) -> list[Event]:
        """Return the events with `since <= ts <= until`, epoch ms."""
        return self.events[bisect_left(self._times, since) : bisect_right(self._times, until)]

    def within(self, selector: Selector, since: int, until: int) -> list[Event]:
        """Return the events that a selector takes with `since <= ts <= until`; its condition is asked of no others."""
        found = self._selected.get(selector.key)
        if found is not None:
            known = found[1]
            return known.events[bisect_left(known.times, since) : bisect_right(known.times, until)]
        ranks = self._named(selector.names)
        first, end = bisect_left(self._times, since), bisect_right(self._times, until)
        inside = ranks[bisect_left(ranks, first) : bisect_left(ranks, end)]
        if len(inside) == len(ranks):
            return self.select(selector).events
        test = selector.test
        events = [self.events[rank] for rank in inside]
        return events if test is None else [event for event in events if test(event.fields) is True]

    def select(self, selector: Selector) -> Selected:
        """Return the events that a selector takes; worked out once for each selector."""
        found = self._selected.get(selector.key)
        if found is None:
            found = self._selected[selector.key] = selector, self._select(selector)
        return found[1]

    def split(self, selector: Selector, path: tuple[str, ...]) -> dict[str, Selected]:
        """Return the events that a selector takes, by the value of a key field."""
        key = (selector.key, path)
        found = self._splits.get(key)
        if found is None:
            found = self._splits[key] = _split(self.select(selector), path)
        return found

    def field(self, selector: Selector, name: Name) -> list[Value]:
        """Return a field of each selected event, missing where the event lacks it."""
        key = (selector.key, name.path)
        found = self._fields.get(key)
        if found is None:
            read = compile_field(name)
            found = self._fields[key] = read, [read(event.fields) for event in self.select(selector).events]
        return found[1]

    def derived(self, name: str, derive: Callable[[History], Derived]) -> Derived:
        """Return the object that `derive` makes from the history; made once for each name."""
        if name not in self._derived:
            self._derived[name] = derive(self)
        found: Derived = self._derived[name]
        return found

    def context(self, name: str) -> Series:
        """Return the values of a context field of the visitor over time, such as the device."""
        found = self._context_series.get(name)
        if found is None:
            found = self._context_series[name] = _series(self._context_changes(name))
        return found

    def trait(self, path: tuple[str, ...]) -> Series:
        """Return the values of a trait of the visitor over time, from the identify events."""
        found = self._trait_series.get(path)
        if found is None:
            found = self._trait_series[path] = self._traits(path)
        return found

    def _select(self, selector: Selector) -> Selected:
        ranks, events, test = self._named(selector.names), self.events, selector.test
        if test is not None:
            ranks = [rank for rank in ranks if test(events[rank].fields) is True]
        times = self._times
        # Lists of its own: each grows by itself.
        return Selected(list(ranks), [times[rank] for rank in ranks], [events[rank] for rank in ranks])

    def _named(self, names: frozenset[str] | None) -> list[int]:
        found = self._ranks.get(names)
        if found is None:
            taken = self._by_name.keys() - MESSAGE_EVENTS if names is None else self._by_name.keys() & names
            found = self._ranks[names] = sorted(rank for name in taken for rank in self._by_name[name])
        return found

    def _context_changes(self, name: str) -> Iterable[tuple[int, Value]]:
        if self._contexts is not None:
            return self._contexts.get(name, ())
        read = compile_field(Name(0, (name,)))
        return [(event.ts, read(event.fields) or None) for event in self.events]

    def _traits(self, path: tuple[str, ...]) -> Series:
        """Return the values of a trait; a trait set to nothing is missing from then on, so its instant stays."""
        read = compile_field(Name(0, (TRAITS_PREFIX, *path)))
        times, values = [], []
        for rank in self._by_name.get("identify", ()):
            event = self.events[rank]
            traits = event.fields.get(TRAITS_PREFIX)
            if isinstance(traits, dict) and path[0] in traits:
                times.append(event.ts)
                values.append(read(event.fields))
        return Series(times, values)


class Moment(msgspec.Struct, frozen=True, gc=False):
    """A visitor at an instant.

    Args:
        history: the visitor's events; later events than `at` are not looked at.
        at: the instant, epoch ms.
        facts: facts about a firing's messages, by canonical text such as `opened(email)` and `goal_reached`; an absent
            fact is false.
    """

    history: History
    at: int
    facts: Mapping[str, bool] = {}


def _ordered(events: Iterable[Event]) -> list[Event]:
    seen: set[str] = set()
    ordered = []
    for event in sorted(events, key=_ORDER):
        if event.event_id not in seen:
            seen.add(event.event_id)
            ordered.append(event)
    return ordered


def _ranks_by_name(events: Sequence[Event]) -> dict[str, list[int]]:
    ranks: dict[str, list[int]] = {}
    for rank, event in enumerate(events):
        ranks.setdefault(event.name, []).append(rank)
    return ranks


def _split(selected: Selected, path: tuple[str, ...]) -> dict[str, Selected]:
    parts: dict[str, Selected] = {}
    for rank, event in zip(selected.ranks, selected.events, strict=True):
        _put_into_splits(parts, path, rank, event)
    return parts


def _put_into_splits(parts: dict[str, Selected], path: tuple[str, ...], rank: int, event: Event) -> None:
    for key in keys_of(event.fields, path):
        part = parts.get(key)
        if part is None:
            parts[key] = Selected([rank], [event.ts], [event])
        else:
            part.append(rank, event.ts, event)


def _series(changes: Iterable[tuple[int, Value]]) -> Series:
    known = [(ts, value) for ts, value in changes if value is not None]
    return Series([ts for ts, _ in known], [value for _, value in known])
