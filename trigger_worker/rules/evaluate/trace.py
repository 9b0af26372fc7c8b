"""Trace how far a visitor came in a pattern, step by step, for an explanation."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.pattern import completions_of, timed
from trigger_worker.rules.evaluate.selected import Selected
from trigger_worker.rules.evaluate.selector import compile_selection
from trigger_worker.rules.language.duration import format_duration
from trigger_worker.rules.language.lookback import gap_ms, wait_ms
from trigger_worker.rules.language.render import render_selection, render_step
from trigger_worker.rules.language.syntax import Pattern

_NOTHING: Final = Selected([], [], [])


class StepTrace(msgspec.Struct, frozen=True):
    """One step of a pattern, with the event that met it.

    Args:
        text: the step, in its canonical spelling.
        met: whether the chain came so far.
        event: the event that met the step; where none did, the latest event that fits the step alone.
    """

    text: str
    met: bool
    event: Event | None


class Trace(msgspec.Struct, frozen=True):
    """The latest completion of a pattern, or without one the chain that came farthest.

    Args:
        key: the split that the chain belongs to, empty for a rule without `key`.
        steps: the steps of the pattern, in order.
        match_at: when the pattern matches if nothing disturbs it, epoch ms; None without a completion.
        absence: the absence, in its canonical spelling; empty for a pattern without one.
        disturbance: the event that should not have come.
    """

    key: str
    steps: tuple[StepTrace, ...]
    match_at: int | None
    absence: str
    disturbance: Event | None


class _Split(msgspec.Struct, frozen=True):
    """The events of one key that each step takes, and the events that the absence excludes."""

    key: str
    steps: list[Selected]
    absent: Selected


def trace(pattern: Pattern, key: tuple[str, ...] | None, history: History) -> Trace:
    """Return the trace of the chain with which a visitor came farthest in a pattern.

    Args:
        pattern: the pattern of the rule.
        key: the path of the field that splits the events; None for no split.
        history: the events up to the instant asked about.
    """
    gaps_ms = [gap_ms(step) for step in pattern.steps]
    chains = [(_chain(split.steps, gaps_ms), split) for split in _splits(pattern, key, history)]
    chain, split = max(chains, key=lambda each: (len(each[0]), each[0][-1:]))
    events = [history.events[rank] for rank in chain]
    steps = tuple(
        StepTrace(render_step(step), place < len(chain), events[place] if place < len(chain) else _latest(found))
        for place, (step, found) in enumerate(zip(pattern.steps, split.steps, strict=True))
    )
    absence, match_at, disturbance = "", None, None
    if pattern.absence is not None:
        within = format_duration(pattern.absence.within.ms)
        absence = f"no {render_selection(pattern.absence.selection)} within {within}"
    if len(chain) == len(steps):
        match_at = events[-1].ts + wait_ms(pattern)
        disturbance = _first_after(split.absent, chain[-1], match_at)
    return Trace(split.key, steps, match_at, absence, disturbance)


def _splits(pattern: Pattern, key: tuple[str, ...] | None, history: History) -> Iterator[_Split]:
    selectors = [compile_selection(step.selection) for step in pattern.steps]
    absence = None if pattern.absence is None else compile_selection(pattern.absence.selection)
    if key is None:
        absent = _NOTHING if absence is None else history.select(absence)
        yield _Split("", [history.select(selector) for selector in selectors], absent)
        return
    steps = [history.split(selector, key) for selector in selectors]
    excluded = {} if absence is None else history.split(absence, key)
    for name in dict.fromkeys(name for step in steps for name in step) or ("",):
        yield _Split(name, [step.get(name, _NOTHING) for step in steps], excluded.get(name, _NOTHING))


def _chain(steps: Sequence[Selected], gaps_ms: Sequence[int]) -> list[int]:
    """Return the ranks of the latest chain of as many first steps as were met."""
    ranks: list[int] = []
    for length in range(len(steps), 0, -1):
        found = completions_of(steps[:length], gaps_ms[:length]) if length > 1 else steps[0]
        # Of which it is not known when it happened, it is no completion.
        ended = timed(found).ranks if length == len(steps) else found.ranks
        end = bisect_left(ended, ranks[0]) if ranks else len(ended)
        if end:
            ranks.insert(0, ended[end - 1])
    return ranks


def _latest(selected: Selected) -> Event | None:
    return selected.events[-1] if selected.events else None


def _first_after(absent: Selected, rank: int, until: int) -> Event | None:
    place = bisect_right(absent.ranks, rank)
    return absent.events[place] if place < len(absent.ranks) and absent.times[place] <= until else None
