"""The people in memory: found by any of their ids, and forgotten, least recently seen first, to make room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from trigger_worker.people.arrival import Arrival
from trigger_worker.people.reading import Scope
from trigger_worker.people.state import PersonState, Write
from trigger_worker.people.unstored import UnstoredEvents, UnstoredWrites, visitor_of
from trigger_worker.store.people import Person, Visitor
from warehouse.newborn import born_at

#: Most bytes of people in memory, about.
DEFAULT_BYTES: Final = 512 * 1024**2
#: An id that was born within this time has no past: nobody is forgotten so soon after they were seen.
NEWBORN_MS: Final = 20_000
#: A page's clock may be ahead by so much.
CLOCK_SKEW_MS: Final = 2_000


class People:
    """The people in memory.

    Args:
        max_bytes: most bytes that they may take, about.
        started_at: when this process began to hear of events, epoch ms: an id that is older may have a past.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES, started_at: int = 0) -> None:
        self._max_bytes = max_bytes
        self._started_at = started_at
        self._states: OrderedDict[Visitor, PersonState] = OrderedDict()
        self._by_visitor: dict[Visitor, PersonState] = {}
        #: Ids that were in memory a moment ago, with the instant until which they must not pass for newborn.
        self._dropped: OrderedDict[Visitor, int] = OrderedDict()
        self._latest_ms = started_at
        self.scope = Scope()
        #: The bytes that the people take, about.
        self.size = 0
        self._evicted = 0
        self.events: Final = UnstoredEvents()
        self.writes: Final = UnstoredWrites()

    def __len__(self) -> int:
        return len(self._states)

    def find(self, visitor: Visitor) -> PersonState | None:
        """Return the state of the person behind a visitor, None when it is not in memory."""
        state = self._by_visitor.get(visitor)
        if state is not None:
            self._states.move_to_end(state.key)
        return state

    def find_or_bear(self, visitor: Visitor, now_ms: int) -> PersonState | None:
        """Return the state of a person who is in memory or newborn, None of a person who must be read.

        Args:
            visitor: any id.
            now_ms: epoch ms.
        """
        self._latest_ms = max(now_ms, self._latest_ms)
        state = self.find(visitor)
        if state is None and self._is_newborn(visitor, now_ms):
            state = PersonState(Person(visitor.site, visitor.visitor_id, (visitor.visitor_id,)))
            self._keep(state)
        return state

    def receive(self, read: Mapping[Visitor, PersonState]) -> None:
        """Keep people who were read, with what ClickHouse did not show yet.

        A person in memory stays as they are, if they are known as far back.

        Args:
            read: the person behind each visitor who was asked for.
        """
        for state in {id(state): state for state in read.values()}.values():
            known = self._states.get(state.key)
            if known is not None and known.person == state.person and known.since <= state.since:
                continue
            # Parts of the person that were not known to belong together are in the tables or not shown yet.
            for visitor_id in state.person.ids:
                self._replace(Visitor(state.person.site, visitor_id), state)
            for write in self.writes.of(state.person):
                state.note(write)
            # What does not fit comes with the feed, when the table has it.
            state.take(self.events.of(state.person), self.scope.wanted)
            self._keep(state)
        for visitor, state in read.items():
            # One of more ids than a person may have leads to the person, too.
            self._name(visitor, self._states[state.key])

    def _replace(self, visitor: Visitor, state: PersonState) -> None:
        """Forget a part of a person who was read anew, but for firings whose rows are not on their way yet."""
        part = self._by_visitor.get(visitor)
        if part is None:
            return
        # An id may have been another person's: what fired for them is not this one's.
        if set(part.person.ids) <= set(state.person.ids):
            for fire in part.fires:
                state.fires.add(fire)
        self._drop(part)

    def take(self, state: PersonState, arrivals: Iterable[Arrival]) -> list[Arrival]:
        """Add events to a person; return those for which the person must be read anew."""
        before = state.size
        misfits = state.take(arrivals, self.scope.wanted)
        if self._states.get(state.key) is state:
            self.size += state.size - before
        return misfits

    def note(self, write: Write, at: int) -> None:
        """Note a row that goes into the journal at `at`, epoch ms."""
        self.writes.add(write, at)
        state = self._by_visitor.get(visitor_of(write))
        if state is not None:
            before = state.size
            state.note(write)
            self.size += state.size - before

    def take_back(self, writes: Iterable[Write]) -> None:
        """Forget rows that could not be stored, and the people who know of them."""
        for write in writes:
            self.writes.take_back(write)
            self.forget(visitor_of(write))

    def is_joined(self, visitor: Visitor, alias: str) -> bool:
        """Tell whether a visitor and an anonymous id are known to be one person."""
        state = self._by_visitor.get(visitor)
        return state is not None and self._by_visitor.get(Visitor(visitor.site, alias)) is state

    def recognise(self, people: Iterable[Person]) -> None:
        """Forget whoever in memory has an id of one of some people without being just that person."""
        for person in people:
            for visitor_id in person.ids:
                visitor = Visitor(person.site, visitor_id)
                state = self._by_visitor.get(visitor)
                if state is not None and state.person != person:
                    self._drop(state)

    def forget(self, visitor: Visitor) -> None:
        """Forget the person behind a visitor, who is read anew."""
        state = self._by_visitor.get(visitor)
        if state is not None:
            self._drop(state)

    def forget_site(self, site: str) -> None:
        """Forget the people of a site: what the tables hold of them has changed behind our back."""
        for state in [state for state in self._states.values() if state.person.site == site]:
            self._drop(state)

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget everything about people who were erased.

        Args:
            is_erased: tells it of a visitor, by site and id.
        """
        gone = [visitor for visitor in self._by_visitor if is_erased(visitor.site, visitor.visitor_id)]
        for visitor in gone:
            self.forget(visitor)
        self.events.forget_erased(is_erased)
        self.writes.forget_erased(is_erased)

    def look_at(self, scope: Scope) -> None:
        """Keep what a scope needs from now on; people who were read with less are read anew."""
        if not self.scope.covers(scope):
            for state in list(self._states.values()):
                self._drop(state)
            self.scope = scope

    def make_room(self, now_ms: int) -> None:
        """Forget those seen longest ago while there is no room; `now_ms` is epoch ms."""
        self._forget_dropped(now_ms)
        while self.size > self._max_bytes and self._states:
            self._drop(next(iter(self._states.values())))
            self._evicted += 1

    def take_evicted(self) -> int:
        """Return how many people were forgotten to make room since the last call."""
        evicted, self._evicted = self._evicted, 0
        return evicted

    def _is_newborn(self, visitor: Visitor, now_ms: int) -> bool:
        born = born_at(visitor.visitor_id)
        if born is None or visitor in self._dropped or self.events.is_joined(visitor):
            return False
        return max(self._started_at, now_ms - NEWBORN_MS) < born <= now_ms + CLOCK_SKEW_MS

    def _keep(self, state: PersonState) -> None:
        self._states[state.key] = state
        self.size += state.size
        for known in state.person.ids:
            self._name(Visitor(state.person.site, known), state)

    def _name(self, visitor: Visitor, state: PersonState) -> None:
        self._by_visitor[visitor] = state
        state.names.add(visitor)

    def _drop(self, state: PersonState) -> None:
        del self._states[state.key]
        self.size -= state.size
        for visitor in state.names:
            self._by_visitor.pop(visitor, None)
            if born_at(visitor.visitor_id) is not None:
                # Counted from now: a page may make an id of any time, and one of the future must not stay for ever.
                self._dropped[visitor] = self._latest_ms + NEWBORN_MS + CLOCK_SKEW_MS
                self._dropped.move_to_end(visitor)

    def _forget_dropped(self, now_ms: int) -> None:
        self._latest_ms = max(now_ms, self._latest_ms)
        while self._dropped and next(iter(self._dropped.values())) < now_ms:
            self._dropped.popitem(last=False)
