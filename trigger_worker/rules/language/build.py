"""Build the nodes of the syntax tree from the parts that the grammar recognises."""

from __future__ import annotations

from math import isinf
from typing import Any, cast

from lark import Token, Transformer, v_args

from trigger_worker.rules.language.arguments import Argument, FieldOf, as_selection, as_value, event_name
from trigger_worker.rules.language.build_call import build_call
from trigger_worker.rules.language.duration import parse_duration
from trigger_worker.rules.language.errors import Refusal
from trigger_worker.rules.language.syntax import (
    Absence,
    And,
    Arithmetic,
    ArithmeticOperator,
    Boolean,
    CompareOperator,
    Comparison,
    Duration,
    Expression,
    Glob,
    Literals,
    Membership,
    Name,
    Negative,
    Not,
    Number,
    Or,
    Pattern,
    Selection,
    Step,
    Text,
)
from warehouse.amounts import LARGEST_EXACT


def tree_builder() -> Transformer[Token, Any]:
    """Return the builder of nodes that the parser runs bottom-up, one method per rule of the grammar.

    It raises Refusal for a text that parses but has no meaning.
    """
    return _TreeBuilder()


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, Any]):
    """Builds the node of each rule of the grammar from the nodes and tokens below it."""

    def pattern(self, *parts: Step | Absence) -> Pattern:
        steps = tuple(part for part in parts if isinstance(part, Step))
        last = parts[-1]
        return Pattern(parts[0].start, steps, last if isinstance(last, Absence) else None)

    def goal(self, step: Step) -> Step:
        return step

    def expression(self, node: Argument) -> Expression:
        return as_value(node)

    def step(self, selection: Selection, within: Token | None = None) -> Step:
        return Step(selection.start, selection, None if within is None else self.duration(within))

    def absence(self, selection: Selection, within: Token) -> Absence:
        return Absence(selection.start, selection, self.duration(within))

    def selection(self, events: Selection, condition: Argument | None = None) -> Selection:
        if condition is None:
            return events
        return Selection(events.start, events.names, as_value(condition))

    def events(self, *names: Token) -> Selection:
        return Selection(_start(names[0]), tuple(_event_name(name) for name in names))

    def disjunction(self, *operands: Argument) -> Or:
        values = tuple(as_value(operand) for operand in operands)
        return Or(values[0].start, values)

    def conjunction(self, *operands: Argument) -> And:
        values = tuple(as_value(operand) for operand in operands)
        return And(values[0].start, values)

    def inversion(self, sign: Token, operand: Argument) -> Not:
        return Not(_start(sign), as_value(operand))

    def comparison(self, left: Argument, operator: Token, right: Argument) -> Comparison:
        compared = as_value(left)
        return Comparison(compared.start, cast(CompareOperator, str(operator)), compared, as_value(right))

    def membership(self, operand: Argument, *options: Literals) -> Membership:
        value = as_value(operand)
        return Membership(value.start, value, options)

    def glob(self, operand: Argument, pattern: Token) -> Glob:
        value = as_value(operand)
        return Glob(value.start, value, _unquoted(pattern))

    def arithmetic(self, left: Argument, operator: Token, right: Argument) -> Arithmetic:
        value = as_value(left)
        return Arithmetic(value.start, cast(ArithmeticOperator, str(operator)), value, as_value(right))

    def negative(self, sign: Token, operand: Argument) -> Negative | Number:
        value = as_value(operand)
        if isinstance(value, Number) and value.digits:
            return Number(_start(sign), -value.value, f"-{value.digits}")
        return Negative(_start(sign), value)

    def negative_number(self, sign: Token, number: Token) -> Number:
        unsigned = self.number(number)
        return Number(_start(sign), -unsigned.value, unsigned.digits and f"-{unsigned.digits}")

    def filtered(self, events: Argument, condition: Argument) -> Selection:
        selection = as_selection(events)
        if selection.condition is not None:
            raise Refusal(
                "these events have a condition already",
                as_value(condition).start,
                "join both conditions with `and` inside one pair of brackets",
            )
        return Selection(selection.start, selection.names, as_value(condition))

    def member(self, node: Argument, part: Token) -> Argument:
        if isinstance(node, Name):
            return Name(node.start, (*node.path, str(part)))
        if isinstance(node, FieldOf):
            return FieldOf(node.start, node.selection, Name(node.field.start, (*node.field.path, str(part))))
        selection = as_selection(node)
        return FieldOf(selection.start, selection, Name(_start(part), (str(part),)))

    def number(self, token: Token) -> Number:
        value = float(token)
        if isinf(value):
            raise Refusal("this number is too large", _start(token))
        is_exact = "." in token or int(token) <= LARGEST_EXACT
        return Number(_start(token), value, "" if is_exact else str(int(token)))

    def duration(self, token: Token) -> Duration:
        return Duration(_start(token), parse_duration(token))

    def text(self, token: Token) -> Text:
        return Text(_start(token), _unquoted(token))

    def true(self, token: Token) -> Boolean:
        return Boolean(_start(token), value=True)

    def false(self, token: Token) -> Boolean:
        return Boolean(_start(token), value=False)

    def name(self, token: Token) -> Name:
        return Name(_start(token), (str(token),))

    def call(self, name: Token, *arguments: Argument) -> Expression:
        return build_call(str(name), _start(name), arguments)


def _event_name(token: Token) -> str:
    if token.type == "ANY":
        return str(token)
    return event_name(_unquoted(token) if token.type == "STRING" else str(token), _start(token))


def _start(token: Token) -> int:
    return token.start_pos or 0


def _unquoted(token: Token) -> str:
    """Return the text between the quotes; a backslash makes the next character an ordinary one."""
    characters = iter(token[1:-1])
    return "".join(next(characters) if character == "\\" else character for character in characters)
