"""What ClickHouse may not show yet: events that came by the bus, joins that they tell of, and the worker's own rows.

A person who is read from the tables gets these added, so that nothing of the last seconds is missing. The feed tells
when an event has become visible; the worker's own rows are visible once they have left the journal.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from trigger_worker.people.arrival import Arrival
from trigger_worker.people.state import Write
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.tellings import telling_place
from trigger_worker.store.fires import Fire
from trigger_worker.store.people import Join, Person, Visitor
from warehouse.vocabulary import ORDER_EVENTS

#: An event is kept so much longer than the feed first told of it: a query that began before may end after.
GRACE_MS: Final = 15_000
#: Most events that are kept. What leaves early is found in the feed, and costs a question that was asked before.
MAX_EVENTS: Final = 200_000
#: An event that the feed never tells of, because ClickHouse could not take it, is kept no longer.
MAX_AGE_MS: Final = 6 * 3_600_000


class UnstoredEvents:
    """The events that came by the bus, until the feed has told of them."""

    def __init__(self) -> None:
        self._arrivals: OrderedDict[tuple[Visitor, str], Arrival] = OrderedDict()
        self._by_visitor: dict[Visitor, dict[str, Arrival]] = {}
        self._joined: dict[Visitor, Arrival] = {}
        self._handled: set[tuple[Visitor, str]] = set()
        #: Events that the feed told of, with the instant at which they may be forgotten.
        self._told: deque[tuple[int, tuple[Visitor, str]]] = deque()

    def __len__(self) -> int:
        return len(self._arrivals)

    def add(self, arrival: Arrival) -> bool:
        """Keep an event; tell whether it is new, as is an order that turns out to have been told earlier."""
        key = arrival.key
        known = self._arrivals.get(key)
        if known is not None and not _is_told_earlier(arrival.event, known.event):
            return False
        if known is not None:
            self._forget(key)
        self._arrivals[key] = arrival
        self._by_visitor.setdefault(arrival.visitor, {})[key[1]] = arrival
        if arrival.joined:
            alias = Visitor(arrival.visitor.site, arrival.joined)
            # The latest word counts, in whichever order they come.
            self._joined[alias] = max(arrival, self._joined.get(alias, arrival), key=_word)
        if len(self._arrivals) > MAX_EVENTS:
            self._forget(next(iter(self._arrivals)))
        return True

    def handle(self, key: tuple[Visitor, str]) -> None:
        """Note that rules were asked about an event."""
        if key in self._arrivals:
            self._handled.add(key)

    def reopen(self, key: tuple[Visitor, str]) -> None:
        """Note that rules must be asked about an event again."""
        self._handled.discard(key)

    def is_handled(self, key: tuple[Visitor, str]) -> bool:
        """Tell whether rules were asked about an event."""
        return key in self._handled

    def tell(self, keys: Iterable[tuple[Visitor, str]], now_ms: int) -> None:
        """Note that the feed tells of events, and forget those that it told of `GRACE_MS` before now (epoch ms)."""
        self._told.extend((now_ms + GRACE_MS, key) for key in keys if key in self._arrivals)
        while self._told and self._told[0][0] <= now_ms:
            self._forget(self._told.popleft()[1])
        while self._arrivals:
            key, oldest = next(iter(self._arrivals.items()))
            if oldest.arrived_at > now_ms - MAX_AGE_MS:
                return
            self._forget(key)

    def of(self, person: Person) -> Iterator[Arrival]:
        """Yield the events of a person, under any id."""
        for visitor_id in person.ids:
            yield from self._by_visitor.get(Visitor(person.site, visitor_id), {}).values()

    def whole(self, person: Person, event: Event) -> Event:
        """Return an event of a person with all of its fields, as far as it came by the bus; else as it is."""
        for visitor_id in person.ids:
            arrival = self._arrivals.get((Visitor(person.site, visitor_id), event.event_id))
            if arrival is not None:
                return arrival.event
        return event

    def find(self, key: tuple[Visitor, str]) -> Arrival | None:
        """Return an event that came by the bus, or was read as news, a moment ago."""
        return self._arrivals.get(key)

    def is_joined(self, visitor: Visitor) -> bool:
        """Tell whether an event joins a visitor, an anonymous id, to a user."""
        return visitor in self._joined

    def joins(self) -> list[Join]:
        """Return the joins that the events tell of."""
        return [
            Join(alias.site, alias.visitor_id, arrival.visitor.visitor_id, arrival.event.ts)
            for alias, arrival in self._joined.items()
        ]

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the events of people who were erased."""
        gone = [visitor for visitor in self._by_visitor if is_erased(visitor.site, visitor.visitor_id)]
        for visitor in gone:
            for event_id in list(self._by_visitor[visitor]):
                self._forget((visitor, event_id))

    def _forget(self, key: tuple[Visitor, str]) -> None:
        arrival = self._arrivals.pop(key, None)
        self._handled.discard(key)
        if arrival is None:
            return
        theirs = self._by_visitor[arrival.visitor]
        del theirs[key[1]]
        if not theirs:
            del self._by_visitor[arrival.visitor]
        alias = Visitor(arrival.visitor.site, arrival.joined)
        if self._joined.get(alias) is arrival:
            del self._joined[alias]


def _word(arrival: Arrival) -> tuple[int, str]:
    return arrival.event.ts, arrival.visitor.visitor_id


def _is_told_earlier(event: Event, known: Event) -> bool:
    return event.name in ORDER_EVENTS and telling_place(event) < telling_place(known)


class UnstoredWrites:
    """The worker's own rows, until they have left the journal."""

    def __init__(self) -> None:
        self._writes: deque[tuple[int, Visitor, Write]] = deque()
        self._by_visitor: defaultdict[Visitor, dict[int, Write]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._writes)

    def add(self, write: Write, at: int) -> None:
        """Keep a row that goes into the journal at `at`, epoch ms."""
        visitor = visitor_of(write)
        self._writes.append((at, visitor, write))
        self._by_visitor[visitor][id(write)] = write

    def take_back(self, write: Write) -> None:
        """Forget a row that could not be stored."""
        theirs = self._by_visitor.get(visitor_of(write))
        if theirs is not None:
            theirs.pop(id(write), None)

    def forget_before(self, at: int) -> None:
        """Forget the rows that went into the journal before `at` (epoch ms), and `GRACE_MS` more."""
        while self._writes and self._writes[0][0] < at - GRACE_MS:
            _, visitor, write = self._writes.popleft()
            theirs = self._by_visitor.get(visitor)
            if theirs is not None:
                theirs.pop(id(write), None)
                if not theirs:
                    del self._by_visitor[visitor]

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the rows about people who were erased."""
        gone = {visitor for visitor in self._by_visitor if is_erased(visitor.site, visitor.visitor_id)}
        if gone:
            self._writes = deque(entry for entry in self._writes if entry[1] not in gone)
            for visitor in gone:
                del self._by_visitor[visitor]

    def of(self, person: Person) -> Iterator[Write]:
        """Yield the rows about a person, under any id."""
        for visitor_id in person.ids:
            yield from self._by_visitor.get(Visitor(person.site, visitor_id), {}).values()


def visitor_of(write: Write) -> Visitor:
    """Return the visitor whom a row is about."""
    if isinstance(write, Fire):
        return Visitor(write.site, write.visitor_id)
    return write.message.visitor
