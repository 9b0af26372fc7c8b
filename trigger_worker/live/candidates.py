"""Candidates: the pairs of person and rule whose answer a new event may have changed, out of all persons and rules."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from trigger_worker.live.completion_index import Completion, CompletionIndex
from trigger_worker.live.live_rules import LiveRules, Wait
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.rules.evaluate.event import LATE_MS, Event
from trigger_worker.store.feed import Anchor, News
from trigger_worker.store.people import Person, Visitor

#: Ids whose newest instant is remembered, to tell what comes out of order.
MAX_REMEMBERED: Final = 100_000


def is_late(item: News) -> bool:
    """Tell whether an event was stored long after it happened, from an offline phone, say.

    It may change what was asked before, so every rule that looks at it is asked again.
    """
    return item.visible_at - item.ts > LATE_MS


class NewestSeen:
    """The latest instant that rules were asked about, for each visitor seen of late."""

    def __init__(self) -> None:
        self._times: OrderedDict[Visitor, int] = OrderedDict()

    def is_out_of_order(self, item: News, person: Person) -> bool:
        """Tell whether rules were asked about the event's instant or a later one before, under any id of the person."""
        return any(self._times.get(Visitor(person.site, known), -1) >= item.ts for known in person.ids)

    def remember(self, asked: Iterable[tuple[Visitor, int]]) -> None:
        """Remember the instants (epoch ms) that rules were asked about, by visitor."""
        for visitor, at in asked:
            self._times[visitor] = max(at, self._times.get(visitor, at))
            self._times.move_to_end(visitor)
            if len(self._times) > MAX_REMEMBERED:
                self._times.popitem(last=False)


class Candidate(msgspec.Struct):
    """The rules to ask of one person.

    Args:
        since: the earliest instant at which an answer may be new, epoch ms.
        rules: the rules to ask.
    """

    since: int
    rules: frozenset[CompiledRule]

    def join(self, since: int, rules: frozenset[CompiledRule]) -> None:
        """Add rules; all of them are asked from the earlier of the two instants on."""
        self.since = min(self.since, since)
        if not rules <= self.rules:
            self.rules |= rules


class Candidates:
    """The pairs of person and rule whose answer may have changed.

    Args:
        rules: the live ones.
        people: the person behind each visitor id.
    """

    def __init__(self, rules: LiveRules, people: Mapping[Visitor, Person]) -> None:
        self._rules = rules
        self._people = people
        self.by_person: dict[Person, Candidate] = {}

    def add_news(self, news: Iterable[News], newest_seen: NewestSeen) -> None:
        """Add the rules that new events may complete; late or unordered ones concern all rules that look at them."""
        for item in news:
            person = self._people[item.visitor]
            late = is_late(item) or newest_seen.is_out_of_order(item, person)
            chosen = self._rules.looking_at(item.event) if late else self._rules.completed_by(item.event)
            self._add(person, item.ts, chosen)

    def add_due(self, wait: Wait, anchors: Iterable[Anchor]) -> None:
        """Add the rules whose wait has run out, by the events (anchors) that started it."""
        started: dict[str, frozenset[CompiledRule]] = {}
        for anchor in anchors:
            if anchor.event not in started:
                started[anchor.event] = wait.started_by(anchor.event)
            self._add(self._people[anchor.visitor], anchor.ts + wait.wait_ms, started[anchor.event])

    def _add(self, person: Person, since: int, rules: frozenset[CompiledRule]) -> None:
        if not rules:
            return
        known = self.by_person.get(person)
        if known is None:
            self.by_person[person] = Candidate(since, rules)
        else:
            known.join(since, rules)


def completed_rules(
    index: CompletionIndex, candidate: Candidate, events: Iterable[Event], now_ms: int
) -> frozenset[CompiledRule]:
    """Return the candidate's rules whose last step is one of the events, at an instant that is asked about."""
    taking: set[CompiledRule] = set()
    for event in events:
        for completion in index.likely(event):
            if not candidate.since <= event.ts + completion.wait_ms <= now_ms:
                continue
            if not completion.rules.isdisjoint(candidate.rules) and _may_be_by(completion, event):
                taking |= completion.rules & candidate.rules
    return frozenset(taking)


def _may_be_by(completion: Completion, event: Event) -> bool:
    """Tell whether an event may be the last step; one of which that cannot be told is, so that its rules are asked."""
    try:
        return completion.is_by(event)
    except Exception:  # noqa: BLE001 - asked, each of the rules tells of its mistake by itself
        return True
