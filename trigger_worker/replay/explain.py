"""Explain: why a visitor did or did not qualify for a rule at an instant, by the evaluator that the worker uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trigger_worker.replay.explanation import (
    EventReport,
    EveryReport,
    Explained,
    Failure,
    Outcome,
    StepReport,
    explain_term,
    first_failure,
)
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule, Spacing
from trigger_worker.rules.evaluate.event import UNTIMED, Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.pattern import Match
from trigger_worker.rules.evaluate.trace import Trace, trace
from trigger_worker.rules.language.duration import format_duration
from trigger_worker.rules.language.lookback import LAST_VALUE_LOOKBACK_MS
from trigger_worker.rules.model import Audiences
from trigger_worker.store.fires import PastFire, PastFires, read_past_fires
from trigger_worker.store.people import Person, Visitor, find_people, read_sites
from trigger_worker.store.windows import combine, read_histories
from warehouse.errors import ConfigurationError
from warehouse.event import format_instant
from warehouse.queries import Queries

#: How far back firings are looked for by replaying, beside `every`, where no worker stored any.
REPLAY_MS: Final = LAST_VALUE_LOOKBACK_MS


def find_site(queries: Queries, visitor_id: str) -> str:
    """Return the site on which a visitor id is known.

    Raises:
        ConfigurationError: no site knows it, or several do.
    """
    sites = read_sites(queries, visitor_id)
    if not sites:
        raise ConfigurationError(
            f"no event of the visitor {visitor_id!r} is stored",
            "give an id that events carry: SELECT DISTINCT visitor_id FROM events",
        )
    if len(sites) > 1:
        raise ConfigurationError(f"the visitor {visitor_id!r} is known on {', '.join(sites)}", "give --site NAME")
    return sites[0]


def explain(queries: Queries, compiled: CompiledRule, audiences: Audiences, visitor: Visitor, at: int) -> Explained:
    """Return why a visitor did or did not qualify, by the definition that the worker and replays go by.

    The explanation is of the pattern's latest completion. Where firings of the rule are stored for the visitor, `every`
    is judged by them; elsewhere (imported history, say) by a replay of the time before.

    Args:
        queries: the ClickHouse database with events and firings.
        compiled: the rule.
        audiences: the segments, stages and scores that it refers to.
        visitor: any id of the person.
        at: the instant asked about, epoch ms; later events are not looked at.

    Cost: three queries of one person: identity, history as far as the rule looks, firings of the rule.
    """
    person = find_people(queries, [visitor])[visitor]
    since = at - REPLAY_MS - compiled.rule.every_ms
    history = read_histories(queries, [person], combine([compiled.needs]), since, at)[person]
    stored = read_past_fires(queries, [person], since, [compiled.rule.id])[person]
    return _Explainer(compiled, audiences, history, at, stored).explain(person, since)


class _Explainer:
    """Explains one rule for one visitor at one instant."""

    def __init__(
        self,
        compiled: CompiledRule,
        audiences: Audiences,
        history: History,
        at: int,
        stored: Iterable[PastFire],
    ) -> None:
        self._compiled = compiled
        self._audiences = audiences
        self._history = history
        self._asked_at = at
        self._stored = PastFires(fire for fire in stored if fire.at <= at)
        self._trace = trace(compiled.rule.when, compiled.rule.key, history)
        match_at = self._trace.match_at
        self._at = at if match_at is None else min(match_at, at)

    def explain(self, person: Person, since: int) -> Explained:
        rule = self._compiled.rule
        match = self._match()
        every = self._every(match, since)
        failed = self._failure(match, every)
        explanation = self._compiled.explain(self._history, self._at)
        return Explained(
            rule=rule.id,
            version=rule.version,
            site=person.site,
            visitor_id=person.visitor_id,
            asked_at=format_instant(self._asked_at),
            at=format_instant(self._at),
            key=self._trace.key,
            outcome=self._outcome(match, failed),
            failed=failed,
            when=_report_pattern(self._trace, self._asked_at),
            condition=None
            if explanation is None or rule.condition is None
            else explain_term(rule.condition, explanation, self._audiences),
            every=every,
            paused=rule.paused,
        )

    def _match(self) -> Match | None:
        matches = self._compiled.matches(self._history, self._at, self._at)
        return next((match for match in matches if match.key == self._trace.key), None)

    def _every(self, match: Match | None, since: int) -> EveryReport:
        rule, key = self._compiled.rule, self._trace.key
        known = self._stored if len(self._stored) else self._replayed(since)
        fires = PastFires(fire for fire in known if fire.at < self._at)
        before, known_before = fires.of(rule.id), fires.known_of(rule.id)
        spacing = Spacing(rule.every_ms, before, known_before, fires.orders_of(rule.id))
        met = match is None or bool(spacing.choose([match]))
        return EveryReport(
            text=format_duration(rule.every_ms),
            met=met,
            last_fired=format_instant(before[key][-1]) if key in before else None,
            source="stored" if len(self._stored) else "replayed",
        )

    def _replayed(self, since: int) -> PastFires:
        rule, matches = self._compiled.rule.id, self._compiled.firings(self._history, since, self._asked_at, {})
        return PastFires(PastFire(rule, one.key, one.at, f"{one.key} {one.at}", one.late_ms) for one in matches)

    def _failure(self, match: Match | None, every: EveryReport) -> Failure | None:
        if self._has_fired(match):
            return None
        if match is None:
            step = next(step for step in _report_pattern(self._trace, self._asked_at) if not step.met)
            return Failure("when", step.text, None if step.event is None else step.event.event)
        condition = self._compiled.rule.condition
        explanation = self._compiled.explain(self._history, self._at)
        if condition is not None and explanation is not None:
            failure = first_failure(condition, explanation, self._audiences)
            if failure is not None:
                return failure
        return None if every.met else Failure("every", every.text, every.last_fired)

    def _has_fired(self, match: Match | None) -> bool:
        return match is not None and match.at in self._stored.of(self._compiled.rule.id).get(match.key, ())

    def _outcome(self, match: Match | None, failed: Failure | None) -> Outcome:
        if self._has_fired(match):
            return "fired"
        if failed is None:
            return "qualifies"
        match_at = self._trace.match_at
        waits = match_at is not None and match_at > self._asked_at and self._trace.disturbance is None
        return "waits" if waits else "fails"


def _report_pattern(traced: Trace, asked_at: int) -> tuple[StepReport, ...]:
    steps = [StepReport(step.text, step.met, _report_event(step.event)) for step in traced.steps]
    if traced.absence:
        over = traced.match_at
        met = over is not None and over <= asked_at and traced.disturbance is None
        until = None if over is None else format_instant(over)
        steps.append(StepReport(traced.absence, met, _report_event(traced.disturbance), until))
    return tuple(steps)


def _report_event(event: Event | None) -> EventReport | None:
    if event is None:
        return None
    return EventReport(event.name, event.event_id, format_instant(event.ts), event.late_ms == UNTIMED)
