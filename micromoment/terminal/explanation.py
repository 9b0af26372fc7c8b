"""The explanation of why a visitor did or did not qualify for a rule, as text for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from micromoment.terminal.text import plain
from trigger_worker.replay.explanation import Explained, Failure, StepReport, TermReport
from trigger_worker.rules.evaluate.event import Value
from trigger_worker.rules.language.duration import format_duration

_OUTCOMES: Final = {
    "fired": "fired",
    "qualifies": "qualifies",
    "waits": "waits",
    "fails": "does not qualify",
}


def explanation_text(told: Explained) -> str:
    """Return an explanation as lines that each end with a line break.

    Text that a page sent is quoted, so that no terminal obeys it.
    """
    return "".join(f"{line}\n" for line in _lines(told))


def _lines(told: Explained) -> Iterator[str]:
    key = f" with key {_quoted(told.key)}" if told.key else ""
    yield f"{told.rule} {_OUTCOMES[told.outcome]} for {plain(told.visitor_id)}{key} at {told.at}"
    if told.paused:
        yield "paused: the rule fires for nobody until `paused` is false"
    if told.failed is not None:
        label = "still open" if told.outcome == "waits" else "first failed"
        yield f"{label}: {_failure(told.failed, told.when)}"
    yield "when"
    for step in told.when:
        yield f"  {_mark(met=step.met)} {step.text}{_step(step)}"
    if told.condition is not None:
        yield "if"
        yield from _terms(told.condition, 1)
    yield "every"
    last = f": last fired {told.every.last_fired} ({told.every.source})" if told.every.last_fired else ": never before"
    yield f"  {_mark(met=told.every.met)} {told.every.text}{last}"


def _failure(failed: Failure, steps: Iterable[StepReport]) -> str:
    """Return the condition that failed, with the values that made it fail."""
    because = ", ".join(f"{term.text} is {_value(term)}" for term in failed.because)
    if because:
        return f"{failed.where}: {failed.text} ({because})"
    if failed.where == "if":
        return f"if: {failed.text} is {_scalar(failed.value)}"
    if failed.where == "every":
        return f"every: {failed.text}, last fired {failed.value}"
    step = next(step for step in steps if not step.met)
    return f"when: {failed.text}{_step(step) or ': none came'}"


def _step(step: StepReport) -> str:
    """Return the event that a step of the pattern took, or why it took none; empty when there is nothing to add."""
    event = f"{plain(step.event.event)} at {step.event.at}" if step.event else ""
    if step.until is not None:
        return f": {event} came before {step.until}" if event else f": none came; over at {step.until}"
    if step.met or not step.event:
        return f": {event}" if event else ""
    if step.event.untimed:
        return f": {event} completes nothing, as it is not known when it happened"
    return f": not in the chain; the latest was {event}"


def _terms(term: TermReport, depth: int) -> Iterator[str]:
    """Yield a term and its parts with their values, one line each, indented by depth."""
    mark = _mark(met=term.value) if isinstance(term.value, bool) else " "
    yield f"{'  ' * depth}{mark} {term.text}: {_value(term)}"
    for part in term.parts:
        yield from _terms(part, depth + 1)


def _mark(*, met: bool) -> str:
    return "✓" if met else "✗"


def _value(term: TermReport) -> str:
    if term.unit == "ms" and isinstance(term.value, float):
        return format_duration(int(term.value))
    return _scalar(term.value)


def _scalar(value: Value) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    return str(int(value)) if value.is_integer() else repr(value)


def _quoted(text: str) -> str:
    return plain(json.dumps(text, ensure_ascii=False))
