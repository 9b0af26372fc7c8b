"""Check that patterns and expressions have a meaning: their names, types and windows."""

from __future__ import annotations

import msgspec

from trigger_worker.rules.language import names
from trigger_worker.rules.language.arguments import FieldOf, arguments_of
from trigger_worker.rules.language.check_names import check_event_names, field_type, term_type
from trigger_worker.rules.language.check_operators import DESCRIPTIONS, agree, expect_boolean, operator_type
from trigger_worker.rules.language.duration import LONGEST_WINDOW_MS, format_duration
from trigger_worker.rules.language.errors import Finding, did_you_mean
from trigger_worker.rules.language.render import render
from trigger_worker.rules.language.syntax import (
    Aggregate,
    Audience,
    Comparison,
    Duration,
    EventTerm,
    Expression,
    FirstOrLast,
    Membership,
    MessageFact,
    Name,
    Pattern,
    Selection,
    Step,
    Text,
    ValueType,
    children,
)


class AudienceNames(msgspec.Struct, frozen=True):
    """The names of audiences that expressions may refer to."""

    segments: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    scores: frozenset[str] = frozenset()


def check_pattern(pattern: Pattern) -> list[Finding]:
    """Return the errors and warnings about a pattern."""
    checker = _Checker(AudienceNames(), is_sending=False)
    first = pattern.steps[0].within
    if first is not None:
        hint = "put it on the step that must follow in time"
        message = "`within` on the first step has no effect: there is no step before it"
        checker.report(Finding(message, first.start, hint, "warning"))
    for step in pattern.steps:
        checker.check_step(step)
    if pattern.absence is not None:
        checker.check_selection(pattern.absence.selection)
        checker.check_window(pattern.absence.within)
    return checker.findings


def check_goal(goal: Step) -> list[Finding]:
    """Return the errors and warnings about a goal."""
    checker = _Checker(AudienceNames(), is_sending=False)
    checker.check_step(goal)
    return checker.findings


def check_expression(
    node: Expression, wanted: ValueType, audiences: AudienceNames, *, is_sending: bool = False
) -> list[Finding]:
    """Return the errors and warnings about an expression.

    Args:
        node: the expression.
        wanted: the type that its value must have.
        audiences: the names of audiences that it may refer to.
        is_sending: whether it stands in `send`, where facts about messages are known.
    """
    checker = _Checker(audiences, is_sending=is_sending)
    checker.check_expression(node, wanted)
    return checker.findings


class _Checker:
    """Walks one text and gathers its findings, each once."""

    def __init__(self, audiences: AudienceNames, *, is_sending: bool) -> None:
        self.findings: list[Finding] = []
        self._audiences = audiences
        self._is_sending = is_sending

    def report(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)

    def check_step(self, step: Step) -> None:
        self.check_selection(step.selection)
        if step.within is not None:
            self.check_window(step.within)

    def check_selection(self, selection: Selection) -> None:
        check_event_names(selection, self.report)
        if selection.condition is not None:
            expect_boolean(selection.condition, self._type_in_condition, self.report)

    def check_window(self, window: Duration) -> None:
        if not 0 < window.ms <= LONGEST_WINDOW_MS:
            found = format_duration(window.ms)
            message = f"expected a window of more than 0 and at most 400d, found {found}"
            self.report(Finding(message, window.start))

    def check_expression(self, node: Expression, wanted: ValueType) -> None:
        if wanted == "boolean":
            expect_boolean(node, self._type_in_expression, self.report)
            return
        found = self._type_in_expression(node)
        if not agree(found, wanted):
            message = f"expected {DESCRIPTIONS[wanted]}, found {DESCRIPTIONS[found]}: {render(node)}"
            self.report(Finding(message, node.start))

    def _type_in_condition(self, node: Expression) -> ValueType:
        if isinstance(node, Name):
            return field_type(node, self.report)
        found = operator_type(node, self._type_in_condition, self.report)
        if found is None:
            message = f"{render(node)} looks at the visitor's history, a condition only at one event"
            self.report(Finding(message, node.start, "put it in `if`"))
        return found or "unknown"

    def _type_in_expression(self, node: Expression) -> ValueType:
        if isinstance(node, Comparison | Membership):
            self._check_stage_names(node)
        if isinstance(node, EventTerm):
            return self._event_term_type(node)
        match node:
            case Name():
                return self._name_type(node)
            case Audience():
                return self._audience_type(node)
            case MessageFact():
                return self._fact_type(node)
            case _:
                return operator_type(node, self._type_in_expression, self.report) or "unknown"

    def _name_type(self, node: Name) -> ValueType:
        if node.path == names.GOAL_REACHED and not self._is_sending:
            self._report_too_early("goal_reached", node.start)
        if node.path == names.STAGE and not self._audiences.stages:
            self.report(Finding("there are no stages", node.start, "define them in audiences.yaml"))
        return term_type(node, self.report)

    def _event_term_type(self, node: EventTerm) -> ValueType:
        for argument in arguments_of(node):
            match argument:
                case Duration():
                    self.check_window(argument)
                case Selection():
                    self.check_selection(argument)
                case FieldOf():
                    self.check_selection(argument.selection)
        return self._field_term_type(node) if isinstance(node, Aggregate | FirstOrLast) else node.value_type

    def _field_term_type(self, node: Aggregate | FirstOrLast) -> ValueType:
        found = field_type(node.field, self.report)
        if isinstance(node, FirstOrLast):
            return found
        if node.function == "uniq":
            return "number"
        if found not in {"number", "duration", "unknown"}:
            message = f"expected a number field in {node.function}(), found {DESCRIPTIONS[found]}: {render(node.field)}"
            self.report(Finding(message, node.field.start))
            return "number"
        return "number" if found == "unknown" else found

    def _audience_type(self, node: Audience) -> ValueType:
        is_score = node.kind == "score"
        self._check_audience_name(
            node.kind, node.name, self._audiences.scores if is_score else self._audiences.segments, node.start
        )
        return "number" if is_score else "boolean"

    def _fact_type(self, node: MessageFact) -> ValueType:
        if node.channel not in names.CHANNELS:
            message = f"there is no channel {node.channel}"
            hint = did_you_mean(node.channel, names.CHANNELS) or f"channels are {', '.join(names.CHANNELS)}"
            self.report(Finding(message, node.start, hint))
        if not self._is_sending:
            self._report_too_early(render(node), node.start)
        return node.value_type

    def _report_too_early(self, text: str, start: int) -> None:
        message = f"{text} is known only once messages are sent"
        self.report(Finding(message, start, "put it in `if` or `unless` of an entry of `send`"))

    def _check_stage_names(self, node: Comparison | Membership) -> None:
        operands = children(node)
        if not any(isinstance(operand, Name) and operand.path == names.STAGE for operand in operands):
            return
        literals = node.options if isinstance(node, Membership) else operands
        for literal in literals:
            if isinstance(literal, Text) and self._audiences.stages:
                self._check_audience_name("stage", literal.value, self._audiences.stages, literal.start)

    def _check_audience_name(self, kind: str, name: str, known: frozenset[str], start: int) -> None:
        if name not in known:
            hint = did_you_mean(name, known) or "define it in audiences.yaml"
            self.report(Finding(f'there is no {kind} "{name}"', start, hint))
