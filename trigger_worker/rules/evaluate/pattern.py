"""Find the matches of a pattern in a visitor's history, looking at each event once however often is asked."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.event import UNTIMED, Event, keys_of
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.selected import Selected
from trigger_worker.rules.evaluate.selector import compile_selection
from trigger_worker.rules.language.lookback import gap_ms, wait_ms
from trigger_worker.rules.language.syntax import Pattern

_NOTHING: Final = Selected([], [], [])
#: Chains among up to so many events are found anew: for these that is faster than remembering them.
SMALL_CHAIN: Final = 16


class Match(msgspec.Struct, frozen=True, gc=False):
    """An instant at which a rule's pattern holds.

    Args:
        key: the split that the match belongs to, empty for a rule without `key`.
        at: epoch ms; after the event when the pattern ends with an absence.
        event: the event that completed the chain.
    """

    key: str
    at: int
    event: Event

    @property
    def late_ms(self) -> int:
        """How long after its instant it could be known at the earliest, ms: the event that completed it came late."""
        late_ms = self.event.late_ms
        return max(0, self.event.ts + late_ms - self.at) if late_ms else 0

    @property
    def known_at(self) -> int:
        """When it could be known at the earliest, epoch ms."""
        return self.at + self.late_ms


class PatternMatcher:
    """A compiled pattern.

    Args:
        pattern: the pattern to find.
        key: the path of the field that splits the events; None for no split.
    """

    def __init__(self, pattern: Pattern, key: tuple[str, ...] | None) -> None:
        self._steps = [compile_selection(step.selection) for step in pattern.steps]
        self._gaps_ms = [gap_ms(step) for step in pattern.steps]
        self._absence = None if pattern.absence is None else compile_selection(pattern.absence.selection)
        self._wait_ms = wait_ms(pattern)
        self._key = key
        #: The chains that it means, in words that equal patterns share.
        self._chain = " -> ".join(f"{step.key} {gap}" for step, gap in zip(self._steps, self._gaps_ms, strict=True))

    def matches(self, history: History, since: int, until: int) -> list[Match]:
        """Return every match with `since <= at <= until`, ordered by instant.

        Args:
            history: the events up to `until`; later events change nothing.
            since, until: epoch ms, both included.
        """
        # Most rules that are asked match nothing new: then no earlier event is looked at.
        last = history.within(self._steps[-1], since - self._wait_ms, until - self._wait_ms)
        if not last:
            return []
        history.examined += len(last)
        if len(self._steps) == 1 and self._absence is None and self._key is None:
            return [Match("", event.ts, event) for event in last if event.late_ms != UNTIMED]
        if self._key is None:
            steps = [history.select(step) for step in self._steps]
            absent = _NOTHING if self._absence is None else history.select(self._absence)
            return self._in_split("", self._completions(history, "", steps), absent, since, until)
        splits = [history.split(step, self._key) for step in self._steps]
        keys: Iterable[str] = splits[-1]
        if len(last) < len(splits[-1]):
            keys = {key for event in last for key in keys_of(event.fields, self._key)}
        excluded: Mapping[str, Selected] = {} if self._absence is None else history.split(self._absence, self._key)
        found = [
            match
            for key, steps in _steps_of(splits, keys)
            for match in self._in_split(
                key, self._completions(history, key, steps), excluded.get(key, _NOTHING), since, until
            )
        ]
        return sorted(found, key=lambda match: (match.at, match.event.event_id, match.key))

    def _completions(self, history: History, key: str, steps: Sequence[Selected]) -> Selected:
        """Return the last events of all chains, which are remembered and grow with the history."""
        if len(steps) == 1:
            return steps[0]
        if not all(step.ranks for step in steps):
            return _NOTHING
        count = sum(len(step.ranks) for step in steps)
        if count <= SMALL_CHAIN:
            history.examined += count
            return completions_of(steps, self._gaps_ms)
        gaps_ms = self._gaps_ms
        name = f"{self._chain} by {'.'.join(self._key or ())} {key}"
        chains = history.derived(name, lambda _: _Chains(steps, gaps_ms))
        before = chains.examined
        completions = chains.completions()
        history.examined += chains.examined - before
        return completions

    def _in_split(self, key: str, completions: Selected, absent: Selected, since: int, until: int) -> list[Match]:
        first = bisect_left(completions.times, since - self._wait_ms)
        end = bisect_right(completions.times, until - self._wait_ms)
        if self._absence is None:
            return [Match(key, event.ts, event) for event in completions.events[first:end] if event.late_ms != UNTIMED]
        if any(event.late_ms == UNTIMED for event in completions.events[first : end + 1]):
            return self._in_split(key, timed(completions), absent, since, until)
        undisturbed = self._last_of_waits(completions, first, end)
        return [
            Match(key, completions.times[place] + self._wait_ms, completions.events[place])
            for place in undisturbed
            if self._is_undisturbed(completions, place, absent)
        ]

    def _last_of_waits(self, completions: Selected, first: int, end: int) -> list[int]:
        """Return the completions that no later one follows within the wait, which it would restart.

        Of completions at the same instant, the last in order counts.
        """
        wait_ms, following = self._wait_ms, completions.times[first + 1 : end + 1]
        places = [
            place
            for place, (ts, next_ts) in enumerate(zip(completions.times[first:end], following, strict=False), first)
            if next_ts - ts > wait_ms
        ]
        return places if end < len(completions.times) or first == end else [*places, end - 1]

    def _is_undisturbed(self, completions: Selected, place: int, absent: Selected) -> bool:
        until = completions.times[place] + self._wait_ms
        following = bisect_right(absent.ranks, completions.ranks[place])
        return following == len(absent.ranks) or absent.times[following] > until


class _Chains:
    """The chains of events that meet the steps of a pattern one after another; they grow with the steps' events.

    Only the latest event that ends each prefix of a chain needs to be known: an earlier event is further away from the
    events that follow.

    Args:
        steps: the events of each step.
        gaps_ms: how long (ms) after the step before it each step may come; that of the first step is not used.

    Attributes:
        examined: how many events were looked at so far.
    """

    def __init__(self, steps: Sequence[Selected], gaps_ms: Sequence[int]) -> None:
        self._steps = steps
        self._gaps_ms = gaps_ms
        self._latest: list[int | None] = [None] * len(steps)
        #: By step, how many of its events were looked at.
        self._places = [0] * len(steps)
        self._completions = Selected([], [], [])
        self.examined = 0

    def completions(self) -> Selected:
        """Return the last events of all chains, in one pass over what is new."""
        last = len(self._steps) - 1
        for rank, backwards, place in self._unseen():
            index = -backwards
            ts = self._steps[index].times[place]
            before = self._latest[index - 1] if index else ts
            if before is not None and (not index or ts - before <= self._gaps_ms[index]):
                self._latest[index] = ts
                if index == last:
                    self._completions.append(rank, ts, self._steps[index].events[place])
        return self._completions

    def _unseen(self) -> list[tuple[int, int, int]]:
        """Return rank, negative number of the step, and place in the step of the events not looked at, in order.

        An event that fits several steps comes for the later step first, so that it never follows itself.
        """
        unseen: list[tuple[int, int, int]] = []
        for index, step in enumerate(self._steps):
            ranks, first = step.ranks, self._places[index]
            unseen += [(ranks[place], -index, place) for place in range(first, len(ranks))]
            self._places[index] = len(ranks)
        self.examined += len(unseen)
        unseen.sort()
        return unseen


def timed(completions: Selected) -> Selected:
    """Return completions without those of which it is not known when they happened: they start no wait."""
    known = [place for place, event in enumerate(completions.events) if event.late_ms != UNTIMED]
    return Selected(
        [completions.ranks[place] for place in known],
        [completions.times[place] for place in known],
        [completions.events[place] for place in known],
    )


def completions_of(steps: Sequence[Selected], gaps_ms: Sequence[int]) -> Selected:
    """Return the last events of all chains that meet steps one after another.

    Args:
        steps: the events of each step.
        gaps_ms: how long (ms) after the step before it each step may come; that of the first step is not used.
    """
    return _Chains(steps, gaps_ms).completions() if all(step.ranks for step in steps) else _NOTHING


def _steps_of(splits: Sequence[Mapping[str, Selected]], keys: Iterable[str]) -> Iterable[tuple[str, list[Selected]]]:
    """Yield the events of each step, by key, of the keys that may have a chain."""
    for key in keys:
        first, last = splits[0].get(key), splits[-1].get(key)
        # A chain of n events spans n - 1 ranks at least: most keys, such as a product seen once, have none.
        if first is not None and last is not None and last.ranks[-1] - first.ranks[0] >= len(splits) - 1:
            yield key, [split.get(key, _NOTHING) for split in splits]
