"""Histories of the candidates, read from ClickHouse once and then kept up to date by fresh events for a minute.

A visitor who browses is asked about every few seconds, and little is new each time.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from trigger_worker.live.candidates import Candidate, keep_completable
from trigger_worker.live.completion_index import CompletionIndex
from trigger_worker.live.live_rules import Kinds, LiveRules
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.store.events import Span, read_events
from trigger_worker.store.feed import News
from trigger_worker.store.people import Person, Visitor
from trigger_worker.store.people_queries import PeopleGroup, people_groups
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
#: Candidates who are asked about something longer ago are asked apart from the others.
SAME_TIME_MS: Final = 10_000

#: Chooses, with the fresh events of each candidate, the candidates whose histories are worth reading.
Choose = Callable[
    [CompletionIndex, Mapping[Person, Candidate], Mapping[Person, Iterable[Event]], int], dict[Person, Candidate]
]


class CandidateGroup(msgspec.Struct, frozen=True):
    """Candidates of one site, few enough for one query, with their histories.

    Args:
        candidates: the persons, with the rules to ask of each.
        histories: of each of them, as far as those rules look.
        since: the earliest instant asked about, epoch ms.
    """

    candidates: Mapping[Person, Candidate]
    histories: Mapping[Person, History]
    since: int


class KeptHistories:
    """Reads histories, and keeps them as long as the feed tells what is new in them.

    Args:
        warehouse: the ClickHouse database with the events.
        choose: leaves out the candidates for whom no rule can match; a test may keep all of them.
    """

    def __init__(self, warehouse: Queries, choose: Choose = keep_completable) -> None:
        self._warehouse = warehouse
        self._choose = choose
        self._kept: OrderedDict[Person, _Kept] = OrderedDict()
        self._size = 0
        self._rules = LiveRules()

    def read(
        self,
        rules: LiveRules,
        news: Iterable[News],
        people: Mapping[Visitor, Person],
        candidates: Mapping[Person, Candidate],
        now_ms: int,
    ) -> Iterator[CandidateGroup]:
        """Yield the candidates for whom a fresh event may complete a rule, with their histories up to `now_ms`.

        Args:
            rules: the live rules; other rules than before look at other events.
            news: the feed's rows since the last call.
            people: the person behind each id; other ids than before make another person.
            candidates: the persons, with the rules to ask of each.
            now_ms: the latest instant asked about, epoch ms.

        Cost: for each group of some hundred candidates one query for their fresh events, and one for the histories
        that are not kept.
        """
        self._note(rules, news, people)
        for group in _groups(candidates, now_ms):
            since = min(candidate.since for candidate in group.values())
            unread_since = min(since, self._unread_since(group, now_ms))
            fresh = read_fresh(self._warehouse, group, rules.looked_at, unread_since, now_ms)
            self._add(fresh, now_ms)
            chosen = self._choose(rules.completions, group, fresh, now_ms)
            if chosen:
                yield CandidateGroup(chosen, self._complete(chosen, now_ms), since)

    def _note(self, rules: LiveRules, news: Iterable[News], people: Mapping[Visitor, Person]) -> None:
        """Note which kept histories lack which news; rules that changed make all of them useless."""
        if rules is not self._rules:
            self._kept.clear()
            self._size = 0
            self._rules = rules
        for item in news:
            kept = self._kept.get(people[item.visitor])
            if kept is not None:
                kept.unread_since = item.ts if kept.unread_since is None else min(item.ts, kept.unread_since)

    def _unread_since(self, people: Iterable[Person], now_ms: int) -> int:
        """Return when the earliest event happened that the histories of some people still lack, `now_ms` for none."""
        kept = [self._kept[person] for person in people if person in self._kept]
        return min((one.unread_since for one in kept if one.unread_since and one.is_usable(now_ms)), default=now_ms)

    def _add(self, fresh: Mapping[Person, Iterable[Event]], now_ms: int) -> None:
        """Add the events that the live rules look at, from `_unread_since` of these people on."""
        for person, events in fresh.items():
            kept = self._kept.get(person)
            if kept is not None and kept.is_usable(now_ms):
                self._size -= kept.size
                kept.add(events)
                self._size += kept.size
                kept.unread_since = None

    def _complete(self, candidates: Mapping[Person, Candidate], now_ms: int) -> dict[Person, History]:
        """Return the histories of some candidates; those that are not kept come with one query."""
        needs = self._rules.shared_needs
        kinds = {person: needs.kinds(candidate.rules) for person, candidate in candidates.items()}
        missing: dict[Person, Wanted] = {}
        for person, candidate in candidates.items():
            kept = self._kept.get(person)
            if kept is None or not kept.serves(kinds[person], candidate.since, now_ms):
                # Together with what was kept: whoever does many things is soon known well enough for all of them.
                kinds[person] |= kept.kinds if kept else frozenset()
                missing[person] = needs.wanted(kinds[person])
        since = min(candidate.since for candidate in candidates.values()) - SLACK_MS
        for person, events in read_own_events(self._warehouse, missing, since, now_ms).items():
            self._keep(person, _Kept(kinds[person], since, now_ms, {}), events)
        histories = {person: History(self._kept[person].events.values(), {}) for person in candidates}
        self._forget(now_ms)
        return histories

    def _keep(self, person: Person, kept: _Kept, events: Iterable[Event]) -> None:
        known = self._kept.pop(person, None)
        kept.add(events)
        self._size += kept.size - (known.size if known else 0)
        self._kept[person] = kept

    def _forget(self, now_ms: int) -> None:
        """Let go of histories that are too old, and of those read longest ago while there are too many events."""
        while self._kept:
            person, kept = next(iter(self._kept.items()))
            if self._size <= MAX_EVENTS and kept.read_at > now_ms - MAX_AGE_MS:
                return
            del self._kept[person]
            self._size -= kept.size


class _Kept(msgspec.Struct):
    """The history of one person, as it was read and added to.

    Args:
        kinds: the needs that it serves.
        since: it is complete for every instant from then on, epoch ms.
        read_at: when it was read from the table, epoch ms.
        events: by time and id.
        unread_since: when the earliest news happened that is not in it yet, epoch ms.
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

    def serves(self, kinds: Kinds, since: int, now_ms: int) -> bool:
        return self.is_usable(now_ms) and self.unread_since is None and kinds <= self.kinds and self.since <= since

    def add(self, events: Iterable[Event]) -> None:
        self.events |= {(event.ts, event.event_id): event for event in events}


def read_fresh(
    warehouse: Queries, people: Mapping[Person, Candidate], looked_at: Wanted, since: int, until: int
) -> dict[Person, list[Event]]:
    """Return each person's events from `since` on, and earlier ones that start a wait which is over now.

    Args:
        warehouse: the ClickHouse database with the events.
        people: candidates of one site, few enough for one query, with the rules to ask of each.
        looked_at: the event names and fields of all live rules.
        since, until: epoch ms, both included.

    Cost: one query for the rows as new as that; parts of the table with nothing as new are opened only for candidates
    whose wait is over.
    """
    found: dict[Person, list[Event]] = {person: [] for person in people}
    spans = [Span(sorted(looked_at.lookback_ms), since, until), *_waits(people, until)]
    for person, event in read_events(warehouse, PeopleGroup.of(people), spans, looked_at.fields):
        found[person].append(event)
    return found


def _waits(people: Mapping[Person, Candidate], until: int) -> list[Span]:
    """Return, for each wait, the time in which its first events happened, of the candidates that it concerns."""
    since: dict[int, int] = {}
    names: dict[int, set[str]] = defaultdict(set)
    ids: dict[int, set[str]] = defaultdict(set)
    for person, candidate in people.items():
        for compiled in candidate.rules:
            wait_ms = compiled.needs.wait_ms
            if wait_ms:
                since[wait_ms] = min(candidate.since, since.get(wait_ms, candidate.since))
                names[wait_ms] |= compiled.needs.trigger_names
                ids[wait_ms].update(person.ids)
    return [
        Span(sorted(names[wait_ms]), since[wait_ms] - wait_ms, until - wait_ms, sorted(ids[wait_ms]))
        for wait_ms in sorted(since)
    ]


def _groups(people: Mapping[Person, Candidate], now_ms: int) -> Iterator[dict[Person, Candidate]]:
    """Yield candidates of one site, few enough to be asked about together.

    Those who are asked about the past are apart: a query goes as far back as the earliest instant of anybody in it.
    """
    alike: dict[tuple[str, bool], list[Person]] = defaultdict(list)
    for person, candidate in people.items():
        alike[person.site, candidate.since < now_ms - SAME_TIME_MS].append(person)
    for residents in alike.values():
        for group in people_groups(residents):
            yield {person: people[person] for person in group.people}
