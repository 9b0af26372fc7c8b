"""Short ways to write rules, events and histories in tests."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from trigger_worker.rules.evaluate.compiled_rule import compile_rule
from trigger_worker.rules.evaluate.event import Event, Value
from trigger_worker.rules.evaluate.expression import ExpressionCompiler
from trigger_worker.rules.evaluate.history import History, Moment
from trigger_worker.rules.files.audiences import names_of, read_audiences
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.language.duration import parse_duration
from trigger_worker.rules.language.parse import parse_expression
from trigger_worker.rules.model import NO_AUDIENCES, Audiences, Rule

#: Sunday 22 November 2026, 12:00 UTC, in milliseconds.
NOON = 1_795_348_800_000

_numbers = count()


def event(name: str, after: str = "0s", event_id: str = "", **fields: object) -> Event:
    """An event some time after NOON."""
    return Event(name, NOON + ms(after), event_id or f"e{next(_numbers):06}", fields)


def ms(duration: str) -> int:
    """Milliseconds of a duration; a leading minus turns it."""
    return -parse_duration(duration[1:]) if duration.startswith("-") else parse_duration(duration)


def rule(text: str, audiences: Audiences = NO_AUDIENCES) -> Rule:
    """A rule that must read without errors; `id` and `every: 0` need not be written."""
    lines = [*([] if "every:" in text else ["every: 0"]), *([] if "id:" in text else ["id: r"]), text]
    reading = read_rule("\n".join(lines), "rules/r.yaml", names_of(audiences))
    assert reading.rule is not None, reading.problems
    return reading.rule


def audiences(text: str) -> Audiences:
    """Audiences that must read without problems."""
    reading = read_audiences(text, "audiences.yaml")
    assert reading.problems == []
    return reading.audiences


def fired_at(text: str, events: Iterable[Event], audiences: Audiences = NO_AUDIENCES) -> list[str | int]:
    """How many milliseconds after NOON a rule fires."""
    compiled = compile_rule(rule(text, audiences), audiences)
    far = ms("400d")
    fired = compiled.firings(History(events), NOON - far, NOON + far, {})
    return [match.at - NOON for match in fired]


def value_of(
    expression: str,
    events: Iterable[Event],
    after: str = "0s",
    audiences: Audiences = NO_AUDIENCES,
    facts: dict[str, bool] | None = None,
) -> Value:
    """What an expression comes to some time after NOON."""
    compute = ExpressionCompiler(audiences).compile(parse_expression(expression))
    return compute(Moment(History(events), NOON + ms(after), facts or {}))
