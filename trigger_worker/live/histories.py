"""Histories of the people seen last: who is browsing is asked about every few seconds, and little is new each time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from trigger_worker.live.candidates import Candidate
from trigger_worker.live.live_rules import Kinds, LiveRules
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.store.feed import News, Visitor
from trigger_worker.store.people import Person
from trigger_worker.store.windows import Wanted, read_own_events
from warehouse.queries import Queries

#: How long a history is kept. The feed tells of every live event, but neither of imported nor of erased ones: to
#: rules, those come and go this much later at most.
MAX_AGE_MS: Final = 60_000
#: Oldest news that is added to a history; with older news it is read again.
MAX_UNREAD_MS: Final = 10_000
#: How much earlier than asked histories are read, so that an instant a little earlier needs no other reading.
SLACK_MS: Final = 10_000
#: Most events that are kept, of everybody together: some 60 MB.
MAX_EVENTS: Final = 100_000


class _Kept(msgspec.Struct):
    """What was read of a person.

    Args:
        kinds: what it serves.
        since: it is complete for every instant from then on, epoch milliseconds.
        read_at: when it was read from the table.
        events: by time and id.
        unread_since: when the earliest news happened that is not in it yet.
    """

    kinds: Kinds
    since: int
    read_at: int
    events: dict[tuple[int, str], Event]
    unread_since: int | None = None

    @property
    def size(self) -> int:
        # A person without events takes room, too.
        return 1 + len(self.events)

    def is_usable(self, now_ms: int) -> bool:
        is_near = self.unread_since is None or self.unread_since >= now_ms - MAX_UNREAD_MS
        return is_near and self.read_at > now_ms - MAX_AGE_MS

    def add(self, events: Iterable[Event]) -> None:
        self.events |= {(event.ts, event.event_id): event for event in events}


class KeptHistories:
    """Reads histories, and keeps them as long as the feed tells what is new in them.

    Args:
        warehouse: where events are.
    """

    def __init__(self, warehouse: Queries) -> None:
        self._warehouse = warehouse
        self._kept: OrderedDict[Person, _Kept] = OrderedDict()
        self._size = 0
        self._rules = LiveRules()

    def note(self, rules: LiveRules, news: Iterable[News], people: Mapping[Visitor, Person]) -> None:
        """Take note of what became visible, before anything is asked.

        Args:
            rules: the live ones; others than before look at other events.
            news: since the last time.
            people: who is behind each id; other ids than before make it another person.
        """
        if rules is not self._rules:
            self._kept.clear()
            self._size = 0
            self._rules = rules
        for item in news:
            kept = self._kept.get(people[item.visitor])
            if kept is not None:
                kept.unread_since = item.ts if kept.unread_since is None else min(item.ts, kept.unread_since)

    def unread_since(self, people: Iterable[Person], now_ms: int) -> int:
        """Return when the earliest event happened that `add` still has to bring of some people, `now_ms` for none."""
        kept = [self._kept[person] for person in people if person in self._kept]
        return min((one.unread_since for one in kept if one.unread_since and one.is_usable(now_ms)), default=now_ms)

    def add(self, fresh: Mapping[Person, Iterable[Event]], now_ms: int) -> None:
        """Take what the live rules look at, from `unread_since` of these people on."""
        for person, events in fresh.items():
            kept = self._kept.get(person)
            if kept is not None and kept.is_usable(now_ms):
                self._size -= kept.size
                kept.add(events)
                self._size += kept.size
                kept.unread_since = None

    def read(self, candidates: Mapping[Person, Candidate], now_ms: int) -> dict[Person, History]:
        """Return the histories that rules ask for, up to `now_ms`; those that are not kept come with one query.

        Args:
            candidates: with their rules, people of one site, few enough for one query.
            now_ms: the latest instant asked about.
        """
        needs = self._rules.shared_needs
        kinds = {person: needs.kinds(candidate.rules) for person, candidate in candidates.items()}
        missing: dict[Person, Wanted] = {}
        for person, candidate in candidates.items():
            kept = self._kept.get(person)
            if kept is None or not self._serves(kept, kinds[person], candidate.since, now_ms):
                # Together with what was kept: whoever does many things is soon known well enough for all of them.
                kinds[person] |= kept.kinds if kept else frozenset()
                missing[person] = needs.wanted(kinds[person])
        since = min(candidate.since for candidate in candidates.values()) - SLACK_MS
        for person, events in read_own_events(self._warehouse, missing, since, now_ms).items():
            self._keep(person, _Kept(kinds[person], since, now_ms, {}), events)
        histories = {person: History(self._kept[person].events.values(), {}) for person in candidates}
        self._forget(now_ms)
        return histories

    def _serves(self, kept: _Kept, kinds: Kinds, since: int, now_ms: int) -> bool:
        return kept.is_usable(now_ms) and kept.unread_since is None and kinds <= kept.kinds and kept.since <= since

    def _keep(self, person: Person, kept: _Kept, events: Iterable[Event]) -> None:
        known = self._kept.pop(person, None)
        kept.add(events)
        self._size += kept.size - (known.size if known else 0)
        self._kept[person] = kept

    def _forget(self, now_ms: int) -> None:
        """Let go of what is too old, and of what was read longest ago while there is too much."""
        while self._kept:
            person, kept = next(iter(self._kept.items()))
            if self._size <= MAX_EVENTS and kept.read_at > now_ms - MAX_AGE_MS:
                return
            del self._kept[person]
            self._size -= kept.size
