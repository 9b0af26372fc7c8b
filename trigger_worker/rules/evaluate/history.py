"""Hold one visitor's events in order, and remember the selections, splits and fields that rules ask for again.

A history grows: an event that comes after the others is added to what is remembered, so that a visitor who browses
costs one event each time, and not the whole history. What is worked out from the lists of a history grows with them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from trigger_worker.rules.evaluate.event import Event, Value, about_visitor, as_value
from trigger_worker.rules.evaluate.selected import Path, Selected, SelectionLists, Series, put_into_splits, tell_trait
from trigger_worker.rules.evaluate.selector import Fields, Selector, compile_field
from trigger_worker.rules.evaluate.tellings import in_order, order_of, telling_place
from trigger_worker.rules.language.names import TRAITS_PREFIX
from trigger_worker.rules.language.syntax import Name
from warehouse.vocabulary import MESSAGE_EVENTS, ORDER_EVENTS

Derived = TypeVar("Derived")

_ORDER = attrgetter("ts", "event_id")


class History:
    """The events of one visitor, sorted by `(ts, event_id)`, each `event_id` once and each order once.

    Args:
        events: the events in any order; of several with one `event_id`, or of one order, the earliest counts.
        contexts: per context field such as `device` its changes `(epoch ms, value)` in order; None to read them from
            the events.

    Attributes:
        examined: how many events were looked at so far, to hold them, to find selections in them and to aggregate
            them, those about which a rule was asked many times over: the measure of what a visitor costs, the same at
            each run.
    """

    def __init__(
        self, events: Iterable[Event], contexts: Mapping[str, Sequence[tuple[int, str]]] | None = None
    ) -> None:
        self.examined = 0
        self._contexts = contexts
        self._context_series: dict[str, Series] = {}
        self._hold(in_order(events))

    def _hold(self, events: list[Event]) -> None:
        """Hold ordered events, and nothing that was worked out from others."""
        self.events = events
        self.examined += len(events)
        self._times = [event.ts for event in events]
        self._by_name = _ranks_by_name(events)
        #: By order or refund, the event that told of it first.
        self._orders = {
            order: events[rank]
            for name in ORDER_EVENTS
            for rank in self._by_name.get(name, ())
            if (order := order_of(events[rank])) is not None
        }
        self._ranks: dict[frozenset[str] | None, list[int]] = {}
        self._selections: dict[str, SelectionLists] = {}
        #: By event name, the lists of ranks and the selections to which such an event is added.
        self._takers: dict[str, tuple[list[list[int]], list[SelectionLists]]] = {}
        self._derived: dict[str, Any] = {}
        self._traits: dict[Path, tuple[Callable[[Fields], Value], list[tuple[int, Value]]]] = {}
        if self._contexts is None:
            self._context_series = {}

    def add(self, events: Sequence[Event]) -> None:
        """Add events whose ids are new to the history; an order told again, later than before, adds nothing.

        Cost: of each event that comes after the others, the selections that it may belong to; else the whole history.
        """
        ordered = sorted(events, key=_ORDER)
        if ordered and self.is_before_others(ordered[0]):
            self._hold(in_order([*self.events, *ordered]))
            return
        for event in ordered:
            if event.name not in ORDER_EVENTS or self._is_told_first(event):
                self._append(event)
            elif self.is_told_earlier(event):
                self._hold(in_order([*self.events, event]))

    def is_before_others(self, event: Event) -> bool:
        """Tell whether an event comes before one that is held, so that adding it costs the whole history."""
        return bool(self.events) and _ORDER(event) < _ORDER(self.events[-1])

    def is_told_earlier(self, event: Event) -> bool:
        """Tell whether an event tells of an order that is held, and goes before the event that is held of it."""
        order = order_of(event)
        known = None if order is None else self._orders.get(order)
        return known is not None and telling_place(event) < telling_place(known)

    def _is_told_first(self, event: Event) -> bool:
        """Note the order of an event that comes after the others; tell whether none of them told of it."""
        order = order_of(event)
        return order is None or self._orders.setdefault(order, event) is event

    def _append(self, event: Event) -> None:
        rank, ts, name = len(self.events), event.ts, event.name
        self.examined += 1
        self.events.append(event)
        self._times.append(ts)
        self._by_name.setdefault(name, []).append(rank)
        takers = self._takers.get(name)
        if takers is None:
            takers = self._takers[name] = self._takers_of(name)
        for ranks in takers[0]:
            ranks.append(rank)
        for selection in takers[1]:
            selection.append(rank, event)
        if name == "identify":
            for path, (read, changes) in self._traits.items():
                tell_trait(changes, path, read, event)
        if self._contexts is None:
            self._context_series.clear()

    def _takers_of(self, name: str) -> tuple[list[list[int]], list[SelectionLists]]:
        ranks = [
            each
            for names, each in self._ranks.items()
            if (name in names if names is not None else name not in MESSAGE_EVENTS)
        ]
        return ranks, [each for each in self._selections.values() if each.selector.takes(name)]

    def surround(self, contexts: Mapping[str, Sequence[tuple[int, str]]]) -> None:
        """Set the contexts of the visitor, such as the device over time; call it again whenever one has changed."""
        self._contexts = contexts
        self._context_series.clear()

    def between(self, since: int, until: int) -> list[Event]:
        """Return the events with `since <= ts <= until`, epoch ms."""
        return self.events[bisect_left(self._times, since) : bisect_right(self._times, until)]

    def portions(self, since: int, until: int, size: int) -> Iterator[tuple[int, int]]:
        """Yield spans, epoch ms with both ends included, that are all of `since` to `until`.

        Each has about `size` events at most; those of one instant are not parted.
        """
        while True:
            place = bisect_left(self._times, since) + size
            if place >= len(self._times) or self._times[place] > until:
                break
            end = max(since, self._times[place] - 1)
            yield since, end
            since = end + 1
        if since <= until:
            yield since, until

    def within(self, selector: Selector, since: int, until: int) -> list[Event]:
        """Return the events that a selector takes with `since <= ts <= until`; its condition is asked of no others."""
        found = self._selections.get(selector.key)
        if found is not None:
            known = found.selected
            return known.events[bisect_left(known.times, since) : bisect_right(known.times, until)]
        ranks = self._named(selector.names)
        first, end = bisect_left(self._times, since), bisect_right(self._times, until)
        inside = ranks[bisect_left(ranks, first) : bisect_left(ranks, end)]
        if len(inside) == len(ranks):
            return self.select(selector).events
        test = selector.test
        self.examined += len(inside)
        events = [self.events[rank] for rank in inside]
        return events if test is None else [event for event in events if test(event.fields) is True]

    def select(self, selector: Selector) -> Selected:
        """Return the events that a selector takes; worked out once for each selector."""
        return self._selection(selector).selected

    def split(self, selector: Selector, path: Path) -> dict[str, Selected]:
        """Return the events that a selector takes, by the value of a key field."""
        selection = self._selection(selector)
        found = selection.splits.get(path)
        if found is None:
            found = selection.splits[path] = self._split(selection.selected, path)
        return found

    def field(self, selector: Selector, name: Name) -> list[Value]:
        """Return a field of each selected event, missing where the event lacks it; the list grows with the history."""
        selection = self._selection(selector)
        found = selection.fields.get(name.path)
        if found is None:
            read, events = compile_field(name, foreign=selector.names_currency), selection.selected.events
            self.examined += len(events)
            found = selection.fields[name.path] = read, [read(event.fields) for event in events]
        return found[1]

    def derived(self, name: str, derive: Callable[[History], Derived]) -> Derived:
        """Return the object that `derive` makes from the history; made once for each name.

        It stays when the history grows: what it is made from are lists that grow, and it catches up with them itself.
        """
        if name not in self._derived:
            self._derived[name] = derive(self)
        found: Derived = self._derived[name]
        return found

    def context(self, name: str) -> Series:
        """Return the values of a context field of the visitor over time, such as the device."""
        found = self._context_series.get(name)
        if found is None:
            found = self._context_series[name] = Series(self._context_changes(name))
        return found

    def trait(self, path: Path) -> Series:
        """Return the values of a trait of the visitor over time, from the identify events."""
        found = self._traits.get(path)
        if found is None:
            read, changes = compile_field(Name(0, (TRAITS_PREFIX, *path))), list[tuple[int, Value]]()
            for rank in self._by_name.get("identify", ()):
                tell_trait(changes, path, read, self.events[rank])
            self.examined += len(changes)
            found = self._traits[path] = read, changes
        return Series(found[1])

    def _selection(self, selector: Selector) -> SelectionLists:
        found = self._selections.get(selector.key)
        if found is None:
            found = self._selections[selector.key] = SelectionLists(selector, self._select(selector))
            self._takers.clear()
        return found

    def _select(self, selector: Selector) -> Selected:
        ranks, events, test = self._named(selector.names), self.events, selector.test
        self.examined += len(ranks)
        if test is not None:
            ranks = [rank for rank in ranks if test(events[rank].fields) is True]
        times = self._times
        # Lists of its own: each grows by itself.
        return Selected(list(ranks), [times[rank] for rank in ranks], [events[rank] for rank in ranks])

    def _split(self, selected: Selected, path: Path) -> dict[str, Selected]:
        self.examined += len(selected.ranks)
        parts: dict[str, Selected] = {}
        for rank, event in zip(selected.ranks, selected.events, strict=True):
            put_into_splits(parts, path, rank, event)
        return parts

    def _named(self, names: frozenset[str] | None) -> list[int]:
        found = self._ranks.get(names)
        if found is None:
            taken = self._by_name.keys() - MESSAGE_EVENTS if names is None else self._by_name.keys() & names
            found = self._ranks[names] = sorted(rank for name in taken for rank in self._by_name[name])
            self.examined += len(found)
            self._takers.clear()
        return found

    def _context_changes(self, name: str) -> Sequence[tuple[int, Value]]:
        if self._contexts is not None:
            return self._contexts.get(name, ())
        told = ((event.ts, as_value(about_visitor(event, name)) or None) for event in self.events)
        return [(at, value) for at, value in told if value is not None]


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


def _ranks_by_name(events: Sequence[Event]) -> dict[str, list[int]]:
    ranks: dict[str, list[int]] = {}
    for rank, event in enumerate(events):
        ranks.setdefault(event.name, []).append(rank)
    return ranks
