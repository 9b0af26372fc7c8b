"""One turn: rules are asked about people, as far as their answers may have changed; without clock or I/O.

A turn has a budget for each person, in events that are looked at: what one person costs at once is bounded, however
much that person did. Whose answers are not complete by then is asked about apart, a portion at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from trigger_worker.live.candidates import Candidate, completed_rules
from trigger_worker.live.completion_index import CompletionIndex
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule, Spacing, as_known, fire_id
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.pattern import Match
from trigger_worker.store.fires import Fire

#: Most events that are looked at for one person in a turn, over all rules, as `History.examined` counts them: some ten
#: milliseconds, and far more than anybody's page causes.
BUDGET: Final = 20_000
#: Whether a match fires costs about so much more than looking at an event.
_ASKED_COST: Final = 10
#: Events about which a rule is asked at once, where it must be asked about many.
_PORTION: Final = 200


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
            late_ms=match.late_ms,
        )


class Trouble(msgspec.Struct, frozen=True):
    """A rule that raised an error when it was asked about a person; it is set aside for this turn."""

    compiled: CompiledRule
    error: Exception


class PersonTurn:
    """Rules asked about one person, a portion of work at a time.

    Args:
        state: the person.
        candidate: the rules to ask, and the instant from which an answer may be new.
        index: finds the live rules by their last step.
        now_ms: the latest instant asked about, epoch ms.

    Attributes:
        fired: the matches that fire, in the order of the rules' ids.
        troubles: the rules that could not be asked; the others are.
    """

    def __init__(self, state: PersonState, candidate: Candidate, index: CompletionIndex, now_ms: int) -> None:
        self.state: Final = state
        self.fired: list[Fired] = []
        self.troubles: list[Trouble] = []
        self._candidate = candidate
        self._index = index
        self._now_ms = now_ms
        self._portions = self._ask()

    def go_on(self, budget: int) -> bool:
        """Ask until so many events were looked at, or all is asked; tell whether all is.

        One portion may take more: the first question about a selection of events looks at all of them.
        """
        end = self.state.history.examined + budget
        return all(self.state.history.examined < end for _ in self._portions)

    def _ask(self) -> Iterator[None]:
        rules: set[CompiledRule] = set()
        last_steps = self._last_steps()
        while events := list(islice(last_steps, _PORTION)):
            rules |= completed_rules(self._index, self._candidate, events, self._now_ms)
            self.state.history.examined += len(events)
            yield
        for compiled in sorted(rules, key=lambda each: each.rule.id):
            try:
                yield from self._ask_rule(compiled)
            except Exception as error:  # noqa: BLE001 - a mistake in one rule must not stop the others
                self.troubles.append(Trouble(compiled, error))

    def _ask_rule(self, compiled: CompiledRule) -> Iterator[None]:
        """Find the matches of a rule portion by portion, then those of them that fire."""
        history, wait_ms, rule = self.state.history, compiled.needs.wait_ms, compiled.rule
        found: list[Match] = []
        for first, last in history.portions(self._candidate.since - wait_ms, self._now_ms - wait_ms, _PORTION):
            found += compiled.matches(history, first + wait_ms, last + wait_ms)
            yield
        before = self.state.fires
        spacing = Spacing(rule.every_ms, before.of(rule.id), before.known_of(rule.id), before.orders_of(rule.id))
        fired: list[Match] = []
        matches = iter(as_known(found, compiled.lifetime_ms))
        while some := list(islice(matches, _PORTION)):
            history.examined += _ASKED_COST * len(some)
            fired += spacing.choose(some, lambda match: compiled.qualifies(history, match.at))
            yield
        self.fired += [Fired(self.state, compiled, match) for match in fired]

    def _last_steps(self) -> Iterator[Event]:
        """Yield the events that may be the last step of a rule that is asked, and others."""
        since, rules = self._candidate.since, self._candidate.rules
        for wait_ms in {0} | {compiled.needs.wait_ms for compiled in rules if compiled.needs.wait_ms}:
            yield from self.state.history.between(since - wait_ms, self._now_ms - wait_ms)


class TurnAnswers(msgspec.Struct, frozen=True):
    """The answers of a turn.

    Args:
        fired: the matches that fire, person by person, in the order of the rules' ids.
        troubles: the rules that could not be asked about somebody.
        unfinished: the people for whom the budget was too small, and of whom nothing is told.
    """

    fired: list[Fired]
    troubles: list[Trouble]
    unfinished: list[PersonState]


def turn(asked: Mapping[PersonState, Candidate], index: CompletionIndex, now_ms: int) -> TurnAnswers:
    """Return the matches that fire, of people for whom `BUDGET` is enough.

    Args:
        asked: the people, with the rules to ask about each and the instant from which an answer may be new.
        index: finds the live rules by their last step.
        now_ms: the latest instant asked about, epoch ms.
    """
    answers = TurnAnswers([], [], [])
    for state, candidate in asked.items():
        one = PersonTurn(state, candidate, index, now_ms)
        if one.go_on(BUDGET):
            answers.fired.extend(one.fired)
            answers.troubles.extend(one.troubles)
        else:
            answers.unfinished.append(state)
    return answers
