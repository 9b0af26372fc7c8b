"""Parse texts of the rule language into syntax trees, or tell the author what was expected where."""

from __future__ import annotations

from collections.abc import Iterable, Set
from pathlib import Path
from typing import Final, cast

from lark import Lark, UnexpectedInput
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from trigger_worker.rules.language.build import tree_builder
from trigger_worker.rules.language.errors import Finding, Misplaced, Refusal, RuleSyntaxError
from trigger_worker.rules.language.expected import describe_expected, describe_found, habit_hint, word_at
from trigger_worker.rules.language.syntax import EventTerm, Expression, Pattern, Step, children

#: Longer texts are refused before they are read.
LONGEST_TEXT: Final = 8_000

#: Deeper trees are refused: the functions that walk them may recurse.
DEEPEST_NESTING: Final = 100

_PARSER: Final = Lark(
    Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8"),
    parser="lalr",
    start=["pattern", "goal", "expression"],
    transformer=tree_builder(),
    maybe_placeholders=False,
)


def parse_pattern(text: str) -> Pattern:
    """Parse a pattern, the value of `when`.

    Raises:
        RuleSyntaxError: the text is not in the language; the message names line, column, what was expected and what
            was found.
    """
    pattern = cast(Pattern, _parse(text, "pattern"))
    _refuse_depth(text, _conditions(pattern))
    return pattern


def parse_goal(text: str) -> Step:
    """Parse a goal: one step, such as `purchase within 3d`.

    Raises:
        RuleSyntaxError: the text is not in the language; the message names line, column, what was expected and what
            was found.
    """
    step = cast(Step, _parse(text, "goal"))
    _refuse_depth(text, _conditions(Pattern(step.start, (step,))))
    return step


def parse_expression(text: str) -> Expression:
    """Parse an expression, the value of `if` or of an audience.

    Raises:
        RuleSyntaxError: the text is not in the language; the message names line, column, what was expected and what
            was found.
    """
    expression = cast(Expression, _parse(text, "expression"))
    _refuse_depth(text, (expression,))
    return expression


def _parse(text: str, start_rule: str) -> Pattern | Step | Expression:
    if len(text) > LONGEST_TEXT:
        message = f"expected at most {LONGEST_TEXT} characters, found {len(text)}"
        raise RuleSyntaxError(text, Finding(message, 0, "name parts of it in audiences.yaml"))
    try:
        return _build(text, start_rule)
    except UnexpectedInput as unexpected:
        raise RuleSyntaxError(text, _finding(text, unexpected, start_rule)) from None


def _build(text: str, start_rule: str) -> Pattern | Step | Expression:
    """Parse a text; refuse one that parses but has no meaning, and let lark's errors about others through."""
    try:
        return cast(Pattern | Step | Expression, _PARSER.parse(text, start=start_rule))
    except Misplaced as misplaced:
        finding = misplaced.finding
        message = f"{finding.message}, found {describe_found(text, finding.start)}"
        raise RuleSyntaxError(text, Finding(message, finding.start, finding.hint)) from None
    except Refusal as refusal:
        raise RuleSyntaxError(text, refusal.finding) from None


def _conditions(pattern: Pattern) -> list[Expression]:
    """Return the conditions of a pattern's steps and of its absence, in order."""
    selections = [step.selection for step in pattern.steps]
    if pattern.absence is not None:
        selections.append(pattern.absence.selection)
    return [each.condition for each in selections if each.condition is not None]


def _refuse_depth(text: str, roots: Iterable[Expression]) -> None:
    """Refuse trees that are too deep; walk without recursion, so that no text can exhaust the stack."""
    open_nodes = [(root, 1) for root in roots]
    while open_nodes:
        node, depth = open_nodes.pop()
        if depth > DEEPEST_NESTING:
            message = f"expected at most {DEEPEST_NESTING} parts inside each other"
            raise RuleSyntaxError(text, Finding(message, node.start, "name parts of it in audiences.yaml"))
        open_nodes.extend((child, depth + 1) for child in children(node))
        if isinstance(node, EventTerm) and node.selection.condition is not None:
            open_nodes.append((node.selection.condition, depth + 1))


def _finding(text: str, unexpected: UnexpectedInput, start_rule: str) -> Finding:
    if start_rule != "expression" and word_at(text.lstrip(), 0) == "no":
        offset = len(text) - len(text.lstrip())
        hint = "an absence (`no ... within ...`) follows a step, after ->"
        return Finding('expected an event such as view_item, found "no"', offset, hint)
    offset = _offset(text, unexpected)
    if isinstance(unexpected, UnexpectedCharacters) and text[offset] in "\"'":
        return Finding("this text in quotes does not end", offset)
    accepted = _accepted(text, unexpected, start_rule)
    message = f"expected {describe_expected(accepted)}, found {describe_found(text, offset)}"
    return Finding(message, offset, habit_hint(text, offset, accepted))


def _offset(text: str, unexpected: UnexpectedInput) -> int:
    at_end = isinstance(unexpected, UnexpectedToken) and unexpected.token.type == "$END"
    return len(text.rstrip()) if at_end else unexpected.pos_in_stream or 0


def _accepted(text: str, unexpected: UnexpectedInput, start_rule: str) -> Set[str]:
    """Return the terminals that the grammar would have taken.

    The lexer knows them only roughly; parsing the text before the place tells them exactly. Where the text before has
    no meaning, that is the first error to tell, and it is raised instead.
    """
    if isinstance(unexpected, UnexpectedToken):
        return frozenset(unexpected.accepts or unexpected.expected)
    try:
        _build(text[: unexpected.pos_in_stream], start_rule)
    except UnexpectedToken as token:
        return frozenset(token.accepts or token.expected)
    return frozenset({"COMPARE", "$END"} if start_rule == "expression" else {"_WITHIN", "__ANON_0", "$END"})
