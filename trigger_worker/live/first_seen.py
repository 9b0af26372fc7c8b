"""The events of people who must be read before rules can be asked about them, until they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from trigger_worker.people.arrival import Arrival
from trigger_worker.people.memory import People
from trigger_worker.store.people import Visitor

#: Most events that wait for their person to be read.
MAX_LOADING: Final = 5_000
#: Most visitors who are read at once: a page waits for the slowest of them.
MAX_LOADED_TOGETHER: Final = 20


class FirstSeen:
    """Keeps events by the visitor who must be read.

    Args:
        people: the people in memory.
    """

    def __init__(self, people: People) -> None:
        self._people = people
        self._waiting: defaultdict[Visitor, list[Arrival]] = defaultdict(list)
        self._count = 0
        self._reading: set[Visitor] = set()

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether no more events may be added."""
        return self._count >= MAX_LOADING

    @property
    def has_more(self) -> bool:
        """Whether events wait for a visitor whom nobody reads yet."""
        return bool(self._waiting.keys() - self._reading)

    def add(self, one: Arrival) -> None:
        """Keep an event until its person is read."""
        self._waiting[one.visitor].append(one)
        self._count += 1

    def waits_joined(self, one: Arrival) -> bool:
        """Tell whether the visitor of an event waits already, joined to the id that the event joins."""
        waiting = self._waiting.get(one.visitor)
        return waiting is not None and waiting[-1].joined == one.joined

    def begin(self) -> list[Visitor]:
        """Return visitors to read now; `end` says that they are."""
        waiting = (visitor for visitor in self._waiting if visitor not in self._reading)
        visitors = list(islice(waiting, MAX_LOADED_TOGETHER))
        self._reading.update(visitors)
        return visitors

    def end(self, visitors: Iterable[Visitor]) -> None:
        """Note that visitors are no longer read."""
        self._reading.difference_update(visitors)

    def aliases(self, visitors: Iterable[Visitor]) -> set[Visitor]:
        """Return the ids that the events of some visitors join to them."""
        arrivals = (one for visitor in visitors for one in self._waiting.get(visitor, ()))
        return {Visitor(one.visitor.site, one.joined) for one in arrivals if one.joined}

    def forget(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the events of visitors of whom a function of site and id says so."""
        for visitor in [each for each in self._waiting if is_erased(each.site, each.visitor_id)]:
            self._count -= len(self._waiting.pop(visitor))

    def take(self, visitors: Iterable[Visitor]) -> list[Arrival]:
        """Return the events of visitors, and those of the same people under other ids; they are kept no longer.

        All of a person's events are asked about together: one that came later must not be asked about first.
        """
        states = [state for visitor in visitors if (state := self._people.find(visitor)) is not None]
        theirs = dict.fromkeys([*visitors, *(name for state in states for name in state.names)])
        arrivals = [one for visitor in theirs for one in self._waiting.pop(visitor, ())]
        self._count -= len(arrivals)
        return arrivals
