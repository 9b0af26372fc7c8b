"""Read the patterns and expressions of YAML files: parse and check them, and refuse those that read too many events.

A term over `any` reads every event of a visitor, so it may not look far back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import yaml

from trigger_worker.rules.files.fields import Fields, parsed_scalar
from trigger_worker.rules.files.source import Source
from trigger_worker.rules.language.arguments import arguments_of
from trigger_worker.rules.language.check import AudienceNames, check_expression, check_goal, check_pattern
from trigger_worker.rules.language.check_names import field_type
from trigger_worker.rules.language.duration import DAY_MS, format_duration
from trigger_worker.rules.language.errors import Finding, RuleSyntaxError
from trigger_worker.rules.language.lookback import gap_ms, term_lookback_ms, wait_ms
from trigger_worker.rules.language.names import field_path
from trigger_worker.rules.language.parse import parse_expression, parse_goal, parse_pattern
from trigger_worker.rules.language.syntax import (
    Duration,
    EventTerm,
    Expression,
    Name,
    Pattern,
    Selection,
    Step,
    ValueType,
    children,
)

#: The longest lookback of `any` from the instant of a match: two steps without a `within`, and a month's wait.
LONGEST_ANY_MS: Final = 90 * DAY_MS

Tree = TypeVar("Tree")
Check = Callable[[Tree], list[Finding]]


def read_pattern(fields: Fields, name: str) -> Pattern | None:
    """Return the pattern that is the value of a key; None, with problems, when there is none."""
    node = fields.node_of(name)
    return None if node is None else _checked(fields.source, node, parse_pattern, check_pattern, pattern_cost)


def read_goal(fields: Fields, name: str) -> Step | None:
    """Return the goal that is the value of a key; None, with problems, when there is none."""
    node = fields.node_of(name)
    return None if node is None else _checked(fields.source, node, parse_goal, check_goal, goal_cost)


def read_condition(
    fields: Fields, name: str, audiences: AudienceNames, *, is_sending: bool = False
) -> Expression | None:
    """Return the condition that is the value of a key; None, with problems, when there is none.

    Args:
        fields: the mapping with the key.
        name: the key.
        audiences: the names of audiences that the condition may refer to.
        is_sending: whether it stands in `send`, where facts about messages are known.
    """
    node = fields.node_of(name)
    if node is None:
        return None
    return _checked(
        fields.source,
        node,
        parse_expression,
        lambda tree: check_expression(tree, "boolean", audiences, is_sending=is_sending),
        expression_cost,
    )


def read_key(fields: Fields, name: str) -> tuple[str, ...] | None:
    """Return the path of the event field that is the value of a key; None, with problems, when there is none."""
    node = fields.node_of(name)
    if node is None:
        return None
    key = _checked(fields.source, node, _parse_key, _check_key)
    return None if key is None else field_path(key)


def read_definition(source: Source, node: yaml.Node, wanted: ValueType, audiences: AudienceNames) -> Expression | None:
    """Return the expression of an audience; None, with problems, when it cannot be used.

    Args:
        source: the file; takes the problems.
        node: the value to read.
        wanted: the type that the value of the expression must have.
        audiences: the names of audiences that it may refer to.
    """
    before = len(source.problems)
    tree = _checked(
        source, node, parse_expression, lambda tree: check_expression(tree, wanted, audiences), expression_cost
    )
    is_refused = any(problem.severity == "error" for problem in source.problems[before:])
    return None if is_refused else tree


def _parse_key(text: str) -> Name:
    node = parse_expression(text)
    if not isinstance(node, Name):
        raise RuleSyntaxError(text, Finding(f'expected a field such as product_id, found "{text}"', 0))
    return node


def _check_key(key: Name) -> list[Finding]:
    findings: list[Finding] = []
    field_type(key, findings.append)
    return findings


def _checked(source: Source, node: yaml.Node, parse: Callable[[str], Tree], *checks: Check[Tree]) -> Tree | None:
    tree = parsed_scalar(source, node, parse)
    if tree is None or not isinstance(node, yaml.ScalarNode):
        return None
    for check in checks:
        for finding in check(tree):
            source.report_inside(node, finding)
    return tree


def pattern_cost(pattern: Pattern) -> list[Finding]:
    """Return an error for each step of a pattern that would read too many events.

    A step looks back as far as the steps and the absence after it may take.
    """
    findings: list[Finding] = []
    span_ms = wait_ms(pattern)
    if pattern.absence is not None:
        findings += _finding(pattern.absence.selection, span_ms, pattern.absence.selection.start)
    for step in reversed(pattern.steps):
        findings += _finding(step.selection, span_ms, step.selection.start)
        span_ms += gap_ms(step)
    return findings


def goal_cost(goal: Step) -> list[Finding]:
    """Return an error when a goal would read too many events."""
    return _finding(goal.selection, gap_ms(goal), goal.selection.start)


def expression_cost(node: Expression) -> list[Finding]:
    """Return an error for each term of an expression that would read too many events."""
    found = [finding for child in children(node) for finding in expression_cost(child)]
    if not isinstance(node, EventTerm):
        return found
    window = next((argument for argument in arguments_of(node) if isinstance(argument, Duration)), node)
    return [*_finding(node.selection, term_lookback_ms(node), window.start), *found]


def _finding(selection: Selection, span_ms: int, start: int) -> list[Finding]:
    if not selection.is_any or span_ms <= LONGEST_ANY_MS:
        return []
    message = f"any would read all that a visitor did in {format_duration(span_ms)}: too much"
    hint = f"name the events, or look back at most {format_duration(LONGEST_ANY_MS)}"
    return [Finding(message, start, hint)]
