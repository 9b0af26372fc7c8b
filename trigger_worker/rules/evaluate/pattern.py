"""Find the matches of a pattern in a visitor's history."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History, Selected
from trigger_worker.rules.evaluate.selector import compile_selection
from trigger_worker.rules.language.lookback import gap_ms, wait_ms
from trigger_worker.rules.language.syntax import Pattern

_NOTHING: Final = Selected([], [], [])


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
        if len(self._steps) == 1 and self._absence is None and self._key is None:
            return [Match("", event.ts, event) for event in last]
        if self._key is None:
            steps = [history.select(step) for step in self._steps]
            absent = _NOTHING if self._absence is None else history.select(self._absence)
            return self._in_split("", steps, absent, since, until)
        found = [
            match
            for key, steps, absent in self._splits(history, self._key)
            for match in self._in_split(key, steps, absent, since, until)
        ]
        return sorted(found, key=lambda match: (match.at, match.event.event_id, match.key))

    def _splits(self, history: History, path: tuple[str, ...]) -> Iterable[tuple[str, list[Selected], Selected]]:
        splits = [history.split(step, path) for step in self._steps]
        absent = {} if self._absence is None else history.split(self._absence, path)
        for key, last in splits[-1].items():
            first = splits[0].get(key)
            # A chain of n events spans n - 1 ranks at least: most keys, such as a product seen once, have none.
            if first is not None and last.ranks[-1] - first.ranks[0] >= len(splits) - 1:
                yield key, [split.get(key, _NOTHING) for split in splits], absent.get(key, _NOTHING)

    def _in_split(self, key: str, steps: Sequence[Selected], absent: Selected, since: int, until: int) -> list[Match]:
        completions = steps[0] if len(steps) == 1 else completions_of(steps, self._gaps_ms)
        first = bisect_left(completions.times, since - self._wait_ms)
        end = bisect_right(completions.times, until - self._wait_ms)
        if self._absence is None:
            return [Match(key, event.ts, event) for event in completions.events[first:end]]
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


def completions_of(steps: Sequence[Selected], gaps_ms: Sequence[int]) -> Selected:
    """Return the last events of all chains, in one pass.

    Only the latest event that ends each prefix of a chain needs to be known: an earlier event is further away from the
    events that follow.

    Args:
        steps: the events of each step.
        gaps_ms: how long (ms) after the step before it each step may come; that of the first step is not used.
    """
    completions = Selected([], [], [])
    if not all(step.ranks for step in steps):
        return completions
    last = len(steps) - 1
    latest: list[int | None] = [None] * len(steps)
    for rank, backwards, place in _merged(steps):
        index = -backwards
        ts = steps[index].times[place]
        before = latest[index - 1] if index else ts
        if before is not None and (not index or ts - before <= gaps_ms[index]):
            latest[index] = ts
            if index == last:
                completions.append(rank, ts, steps[index].events[place])
    return completions


def _merged(steps: Sequence[Selected]) -> list[tuple[int, int, int]]:
    """Return rank, negative number of the step, and place in the step of all events in order.

    An event that fits several steps comes for the later step first, so that it never follows itself.
    """
    return sorted((rank, -index, place) for index, step in enumerate(steps) for place, rank in enumerate(step.ranks))
