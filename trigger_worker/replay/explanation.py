"""The explanation of a rule for a visitor, as `explain` prints it in JSON: instants ISO 8601 in UTC, durations ms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from trigger_worker.rules.evaluate.event import Value
from trigger_worker.rules.evaluate.expression import Explanation
from trigger_worker.rules.language.syntax import And, Audience, Expression, Literals, children
from trigger_worker.rules.model import Audiences

#: `fired`: a firing is stored. `qualifies`: every condition is true, and no firing is stored. `waits`: the absence that
#: the rule waits for has not been disturbed so far. `fails`: a condition was not met.
Outcome = Literal["fired", "qualifies", "waits", "fails"]


class EventReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event of the visitor, with its instant.

    Args:
        untimed: whether it is not known when it happened: it was received then, and completes no pattern.
    """

    event: str
    event_id: str
    at: str
    untimed: bool = False


class StepReport(msgspec.Struct, frozen=True):
    """A step of the pattern, or its absence.

    Args:
        met: whether the step was met.
        event: the event that met the step; else the latest event that fits the step alone. For an absence the event
            that should not have come.
        until: for an absence, when it is over.
    """

    text: str
    met: bool
    event: EventReport | None = None
    until: str | None = None


class TermReport(msgspec.Struct, frozen=True):
    """A part of `if` with its value.

    Args:
        value: the value; None when missing.
        unit: `ms` for a duration.
        parts: the terms that it was computed from, without the literals.
    """

    text: str
    value: Value
    unit: Literal["", "ms"] = ""
    parts: tuple[TermReport, ...] = ()


class EveryReport(msgspec.Struct, frozen=True):
    """The least time between two firings.

    Args:
        text: such as `24h`.
        met: whether no other firing is too close.
        last_fired: the instant of the latest firing before.
        source: whether that firing is stored, or found by replaying history that no worker saw.
    """

    text: str
    met: bool
    last_fired: str | None
    source: Literal["stored", "replayed"]


class Failure(msgspec.Struct, frozen=True):
    """The first condition that was not met.

    Args:
        where: the key of the rule's file.
        text: the condition.
        value: its value.
        because: the values that it was computed from.
    """

    where: Literal["when", "if", "every"]
    text: str
    value: Value
    because: tuple[TermReport, ...] = ()


class Explained(msgspec.Struct, frozen=True, rename={"condition": "if"}):
    """Why a visitor did or did not qualify.

    Args:
        asked_at: the instant asked about.
        at: the instant that the explanation is about: that of the latest match, or `asked_at` without one.
        key: the value of the rule's `key`, empty for a rule without one.
        when, condition, every: the parts of the rule; `condition` is None for a rule without `if`.
        paused: whether the rule is paused and fires for nobody just now.
    """

    rule: str
    version: str
    site: str
    visitor_id: str
    asked_at: str
    at: str
    key: str
    outcome: Outcome
    failed: Failure | None
    when: tuple[StepReport, ...]
    condition: TermReport | None
    every: EveryReport
    paused: bool = False


def explain_term(node: Expression, explanation: Explanation, audiences: Audiences) -> TermReport:
    """Return the report on a part of an expression and on its own parts, without the literals."""
    parts = tuple(
        explain_term(child, found, audiences)
        for child, found in zip(_parts(node, audiences), explanation.children, strict=False)
        if not isinstance(child, Literals)
    )
    return TermReport(explanation.text, explanation.value, "ms" if node.value_type == "duration" else "", parts)


def first_failure(node: Expression, explanation: Explanation, audiences: Audiences) -> Failure | None:
    """Return the first condition of an `if` that is not true; None when it is true."""
    if explanation.value is True:
        return None
    if isinstance(node, And) or (isinstance(node, Audience) and node.kind == "segment"):
        for child, found in zip(_parts(node, audiences), explanation.children, strict=True):
            failure = first_failure(child, found, audiences)
            if failure is not None:
                return failure
    told = explain_term(node, explanation, audiences)
    return Failure("if", told.text, told.value, tuple(_leaves(told.parts)))


def _parts(node: Expression, audiences: Audiences) -> Sequence[Expression]:
    if isinstance(node, Audience):
        known = audiences.scores if node.kind == "score" else audiences.segments
        return (known[node.name],)
    return children(node)


def _leaves(terms: Sequence[TermReport]) -> Iterator[TermReport]:
    for term in terms:
        if term.parts:
            yield from _leaves(term.parts)
        else:
            yield term
