"""The engine and an independent reading of the language give the same answers."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate import reference
from tests.trigger_worker.rules.evaluate.generate import INSTANTS, UNITS, Generator
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.expression import ExpressionCompiler
from trigger_worker.rules.evaluate.history import History, Moment
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.rules.language.duration import LONGEST_WINDOW_MS
from trigger_worker.rules.language.parse import parse_expression
from trigger_worker.rules.model import NO_AUDIENCES

END = 2 * INSTANTS * max(UNITS)

#: Seeded by hypothesis, so a failure names the seed; a case is far too big to be made smaller by steps.
randoms = st.randoms(use_true_random=True)


def history_of(events: list[reference.Record]) -> History:
    return History(Event(each["name"], each["ts"], each["id"], each["fields"]) for each in events)


def compiled(rule: reference.Rule) -> CompiledRule:
    """The rule written as a file and read by the engine; block texts need no quoting."""
    lines = ["id: generated", "when: |", f"  {rule.when()}", f"every: {rule.every}ms"]
    if rule.condition is not None:
        lines += ["if: |", f"  {rule.condition.text()}"]
    if rule.key:
        lines.append(f"key: {rule.key}")
    reading = read_rule("\n".join(lines), "generated.yaml", AudienceNames())
    assert reading.rule is not None, (lines, reading.problems)
    return CompiledRule(reading.rule, ExpressionCompiler(NO_AUDIENCES))


@given(randoms)
@settings(max_examples=2000, deadline=None)
def test_matches_agree(random: Random) -> None:
    generate = Generator(random)
    rule, events = generate.rule(), generate.events()
    found = [
        (match.key, match.at, match.event.event_id) for match in compiled(rule).matches(history_of(events), 0, END)
    ]
    assert sorted(found) == sorted(reference.matches(events, rule))
    assert [at for _, at, _ in found] == sorted(at for _, at, _ in found)


@given(randoms)
@settings(max_examples=2000, deadline=None)
def test_firings_agree(random: Random) -> None:
    generate = Generator(random)
    rule, events = generate.rule(), generate.events()
    fired = [(match.key, match.at) for match in compiled(rule).firings(history_of(events), 0, END, {})]
    assert set(fired) == reference.firings(events, rule)
    assert len(fired) == len(set(fired))


@given(randoms)
@settings(max_examples=1000, deadline=None)
def test_a_restart_in_the_middle_changes_no_firing(random: Random) -> None:
    generate = Generator(random)
    rule, events, middle = generate.rule(), generate.events(), generate.instant()
    engine = compiled(rule)
    until_then = [event for event in events if event["ts"] <= middle]
    before = engine.firings(history_of(until_then), 0, middle, {})
    fired_before: dict[str, list[int]] = {}
    for match in before:
        fired_before.setdefault(match.key, []).append(match.at)
    after = engine.firings(history_of(events), middle + 1, END, fired_before)
    assert {(match.key, match.at) for match in (*before, *after)} == reference.firings(events, rule)


@given(randoms)
@settings(max_examples=2000, deadline=None)
def test_terms_agree_at_and_around_every_instant(random: Random) -> None:
    generate = Generator(random)
    node, events, span = generate.term(), generate.events(), generate.span()
    compute = ExpressionCompiler(NO_AUDIENCES).compile(parse_expression(reference.operand_text(node)))
    history = history_of(events)
    for instant in {event["ts"] + shift for event in events for shift in (0, span)}:
        for at in (instant - 1, instant):
            assert compute(Moment(history, at)) == reference.value(node, events, at), at


def test_the_longest_window_is_what_the_reference_takes_for_since() -> None:
    assert LONGEST_WINDOW_MS == 400 * reference.DAY
