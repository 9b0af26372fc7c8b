"""The engine and an independent reading of the language give the same answers."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trigger_worker.evaluate import reference, strategies
from trigger_worker.evaluate.engine import CompiledRule, evaluate
from trigger_worker.evaluate.event import Event
from trigger_worker.evaluate.expression import ExpressionCompiler
from trigger_worker.evaluate.history import History
from trigger_worker.evaluate.moment import Moment
from trigger_worker.language.check import AudienceNames
from trigger_worker.language.duration import LONGEST_WINDOW_MS
from trigger_worker.language.parse import parse_expression
from trigger_worker.rules.model import NO_AUDIENCES, Rule
from trigger_worker.rules.read import read_rule

END = 60 * max(strategies.UNITS)

units = st.sampled_from(strategies.UNITS)
rules_and_events = units.flatmap(lambda unit: st.tuples(strategies.rules(unit), strategies.events(unit)))


def history_of(events: list[reference.Record]) -> History:
    return History(Event(each["name"], each["ts"], each["id"], each["fields"]) for each in events)


def engine_rule(rule: reference.Rule) -> Rule:
    """The rule written as a file and read by the engine; block texts need no quoting."""
    lines = ["id: generated", "when: |", f"  {rule.when()}", f"every: {rule.every}ms"]
    if rule.condition is not None:
        lines += ["if: |", f"  {rule.condition.text()}"]
    if rule.key:
        lines.append(f"key: {rule.key}")
    reading = read_rule("\n".join(lines), "generated.yaml", AudienceNames())
    assert reading.rule is not None, (lines, reading.problems)
    return reading.rule


@given(rules_and_events)
@settings(max_examples=400, deadline=None)
def test_matches_agree(case: tuple[reference.Rule, list[reference.Record]]) -> None:
    rule, events = case
    compiled = CompiledRule(engine_rule(rule), ExpressionCompiler(NO_AUDIENCES))
    found = [(match.key, match.at, match.event.event_id) for match in compiled.matches(history_of(events), 0, END)]
    assert sorted(found) == sorted(reference.matches(events, rule))
    assert [at for _, at, _ in found] == sorted(at for _, at, _ in found)


@given(rules_and_events)
@settings(max_examples=400, deadline=None)
def test_firings_agree(case: tuple[reference.Rule, list[reference.Record]]) -> None:
    rule, events = case
    fired = evaluate(engine_rule(rule), history_of(events), 0, END, {}, NO_AUDIENCES)
    assert {(match.key, match.at) for match in fired} == reference.firings(events, rule)
    assert len({(match.key, match.at) for match in fired}) == len(fired)


@given(rules_and_events, st.integers(0, 60), units)
@settings(max_examples=200, deadline=None)
def test_a_restart_in_the_middle_changes_no_firing(
    case: tuple[reference.Rule, list[reference.Record]], step: int, unit: int
) -> None:
    rule, events = case
    compiled = CompiledRule(engine_rule(rule), ExpressionCompiler(NO_AUDIENCES))
    middle = step * unit
    until_then = [event for event in events if event["ts"] <= middle]
    before = compiled.firings(history_of(until_then), 0, middle, {})
    last_fired = {match.key: match.at for match in before}
    after = compiled.firings(history_of(events), middle + 1, END, last_fired)
    assert {(match.key, match.at) for match in (*before, *after)} == reference.firings(events, rule)


@given(units.flatmap(lambda unit: st.tuples(strategies.values(unit), strategies.events(unit), strategies.spans(unit))))
@settings(max_examples=500, deadline=None)
def test_terms_agree_at_and_around_every_instant(case: tuple[Any, list[reference.Record], int]) -> None:
    node, events, span = case
    compute = ExpressionCompiler(NO_AUDIENCES).compile(parse_expression(reference.operand_text(node)))
    history = history_of(events)
    for instant in {event["ts"] + shift for event in events for shift in (0, span)}:
        for at in (instant - 1, instant, instant + 1):
            assert compute(Moment(history, at)) == reference.value(node, events, at), at


def test_the_longest_window_is_what_the_reference_takes_for_since() -> None:
    assert LONGEST_WINDOW_MS == 400 * reference.DAY
