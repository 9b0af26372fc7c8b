"""One turn: rules are asked about people, as far as their answers may have changed; without clock or I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from trigger_worker.live.candidates import Candidate, completed_rules
from trigger_worker.live.completion_index import CompletionIndex
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule, fire_id
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.pattern import Match
from trigger_worker.store.fires import Fire


class Fired(msgspec.Struct, frozen=True, eq=False):
    """A match that fires.

    Args:
        state: the person.
        compiled: the rule.
        match: the match; its event has the fields that rules look at.
    """

    state: PersonState
    compiled: CompiledRule
    match: Match

    def fire(self, event: Event) -> Fire:
        """Return the firing, with all fields of the event that completed the pattern."""
        rule, person, match = self.compiled.rule, self.state.person, self.match
        about: dict[str, Any] = {"event": event.name, "event_id": event.event_id, **event.fields}
        return Fire(
            fire_id=fire_id(rule, person.visitor_id, match),
            site=person.site,
            rule=rule.id,
            version=rule.version,
            visitor_id=person.visitor_id,
            key=match.key,
            at=match.at,
            event=about,
        )


def turn(asked: Mapping[PersonState, Candidate], index: CompletionIndex, now_ms: int) -> list[Fired]:
    """Return the matches that fire, person by person, in the order of the rules' ids.

    Args:
        asked: the people, with the rules to ask about each and the instant from which an answer may be new.
        index: finds the live rules by their last step.
        now_ms: the latest instant asked about, epoch ms.
    """
    fired: list[Fired] = []
    for state, candidate in asked.items():
        rules = completed_rules(index, candidate, _last_steps(state, candidate, now_ms), now_ms)
        for compiled in sorted(rules, key=lambda each: each.rule.id):
            before = state.fires.of(compiled.rule.id)
            matches = compiled.firings(state.history, candidate.since, now_ms, before)
            fired += [Fired(state, compiled, match) for match in matches]
    return fired


def _last_steps(state: PersonState, candidate: Candidate, now_ms: int) -> Iterable[Event]:
    """Yield the events that may be the last step of a rule that is asked, and others."""
    for wait_ms in {0} | {compiled.needs.wait_ms for compiled in candidate.rules if compiled.needs.wait_ms}:
        yield from state.history.between(candidate.since - wait_ms, now_ms - wait_ms)
