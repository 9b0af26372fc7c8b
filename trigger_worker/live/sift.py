"""Leaves out the candidates that nothing new can make match, before any history is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trigger_worker.live.candidates import Candidate
from trigger_worker.live.completion_index import CompletionIndex
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.live_rule import LiveRule
from trigger_worker.store.people import Person


def sift(
    index: CompletionIndex, people: Mapping[Person, Candidate], fresh: Mapping[Person, Iterable[Event]], now_ms: int
) -> dict[Person, Candidate]:
    """Return the candidates, with the rules whose last step takes an event of the right time.

    A rule matches only where its last step takes an event, so whoever is left out has no match.

    Args:
        index: of every live rule.
        people: the candidates.
        fresh: by person, the events that may be a last step, and others.
        now_ms: the latest instant asked about.
    """
    left: dict[Person, Candidate] = {}
    for person, candidate in people.items():
        taking = completed(index, candidate, fresh[person], now_ms)
        if taking:
            left[person] = Candidate(candidate.since, taking)
    return left


def completed(
    index: CompletionIndex, candidate: Candidate, events: Iterable[Event], now_ms: int
) -> frozenset[LiveRule]:
    """Return the rules asked about that some event completes within the time asked about."""
    taking: set[LiveRule] = set()
    for event in events:
        for completion in index.likely(event):
            if not candidate.since <= event.ts + completion.wait_ms <= now_ms:
                continue
            if not completion.rules.isdisjoint(candidate.rules) and completion.is_by(event):
                taking |= completion.rules & candidate.rules
    return frozenset(taking)
