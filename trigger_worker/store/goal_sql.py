"""Translate a condition on one event to SQL with the evaluator's meaning: a missing operand makes a test false."""

from __future__ import annotations

from typing import Final, Literal

from trigger_worker.rules.evaluate.operators import literal_value
from trigger_worker.rules.language.names import field_path
from trigger_worker.rules.language.syntax import (
    And,
    Arithmetic,
    Boolean,
    Comparison,
    Duration,
    Expression,
    Extreme,
    Glob,
    Membership,
    Name,
    Negative,
    Not,
    Number,
    Or,
    Text,
)
from warehouse.errors import RuleError
from warehouse.vocabulary import COLUMN_FIELDS, CONTEXT_COLUMNS, MONEY_FIELDS

Kind = Literal["text", "number", "boolean"]

#: How a value of a kind is taken out of `props`, and the types of JSON that are of the kind.
_JSON: Final[dict[Kind, tuple[str, str]]] = {
    "text": ("JSONExtractString", "('String')"),
    "number": ("JSONExtractFloat", "('Int64', 'UInt64', 'Double')"),
    "boolean": ("JSONExtractBool", "('Bool')"),
}
_OPERATORS: Final = {"==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_EXTREMES: Final = {"min": "least", "max": "greatest"}
_TYPES: Final[dict[Kind, str]] = {"text": "String", "number": "Float64", "boolean": "Bool"}


class ConditionSql:
    """Translate conditions, and collect the parameters that they bind.

    Args:
        prefix: the beginning of the parameters' names.
        foreign: whether amounts in a foreign currency are read; else they are missing.
    """

    def __init__(self, prefix: str, *, foreign: bool = False) -> None:
        self._prefix = prefix
        self._foreign = foreign
        self.parameters: dict[str, object] = {}

    def condition(self, node: Expression) -> str:
        """Return SQL that is 1 where a condition is true, and else 0.

        Raises:
            RuleError: two properties of unknown types are compared.
        """
        match node:
            case And() | Or() | Not():
                return self._logic(node)
            case Comparison():
                return self._comparison(node)
            case Membership(operand=operand, options=options):
                kind = _kind(options[0]) or "text"
                test = f"IN ({', '.join(self.value(option, kind) for option in options)})"
                return f"ifNull({self.value(operand, kind)} {test}, 0)"
            case Glob(operand=operand, pattern=pattern):
                return f"ifNull(match({self.value(operand, 'text')}, {self._bind(_regular(pattern), 'text')}), 0)"
            case _:
                return f"ifNull({self.value(node, 'boolean')}, 0)"

    def value(self, node: Expression, kind: Kind) -> str:
        """Return SQL for a value, NULL where the value is missing or of another kind."""
        match node:
            case Number() | Text() | Boolean() | Duration():
                return self._bind(literal_value(node), kind) if _kind(node) == kind else "NULL"
            case Name():
                return self._field(field_path(node), kind)
            case Negative(operand=operand):
                return f"(-{self.value(operand, 'number')})"
            case Arithmetic(operator=operator, left=left, right=right):
                first, second = self.value(left, "number"), self.value(right, "number")
                return f"({first} / nullIf({second}, 0))" if operator == "/" else f"({first} {operator} {second})"
            case Extreme(function=function, left=left, right=right):
                first, second = self.value(left, "number"), self.value(right, "number")
                return f"if(isNull({first}) OR isNull({second}), NULL, {_EXTREMES[function]}({first}, {second}))"
            case _:
                return self.condition(node) if kind == "boolean" else "NULL"

    def _logic(self, node: And | Or | Not) -> str:
        if isinstance(node, Not):
            return f"(NOT {self.condition(node.operand)})"
        word = " AND " if isinstance(node, And) else " OR "
        return f"({word.join(map(self.condition, node.operands))})"

    def _comparison(self, node: Comparison) -> str:
        kind = _kind(node.left) or _kind(node.right)
        if kind is None:
            message = "a goal that compares two properties of your own cannot be counted"
            raise RuleError(message, "compare each with a value")
        left, right = self.value(node.left, kind), self.value(node.right, kind)
        return f"ifNull({left} {_OPERATORS[node.operator]} {right}, 0)"

    def _field(self, path: tuple[str, ...], kind: Kind) -> str:
        if len(path) != 1 or path[0] not in COLUMN_FIELDS:
            return self._property(path, kind)
        column = self._column(path[0], kind)
        if path[0] not in CONTEXT_COLUMNS:
            return column
        # A property of the event's own hides what is known of its visitor.
        return f"if(JSONHas(props, {self._bind(path[0], 'text')}), {self._property(path, kind)}, {column})"

    def _column(self, column: str, kind: Kind) -> str:
        if COLUMN_FIELDS[column] != kind:
            return "NULL"
        if kind == "text":
            return f"nullIf(toString({column}), '')"
        is_home = column in MONEY_FIELDS and not self._foreign
        return f"if(foreign_currency = '', {column}, NULL)" if is_home else column

    def _property(self, path: tuple[str, ...], kind: Kind) -> str:
        keys = ", ".join(self._bind(part, "text") for part in path)
        extract, types = _JSON[kind]
        return f"if(JSONType(props, {keys}) IN {types}, {extract}(props, {keys}), NULL)"

    def _bind(self, value: str | float | bool, kind: Kind) -> str:
        name = f"{self._prefix}_{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{_TYPES[kind]}}}"


def _kind(node: Expression) -> Kind | None:
    """Return the kind of a value, or None where only the event can tell."""
    match node:
        case Text():
            return "text"
        case Boolean() | And() | Or() | Not() | Comparison() | Membership() | Glob():
            return "boolean"
        case Number() | Duration() | Arithmetic() | Negative() | Extreme():
            return "number"
        case Name() if len(field_path(node)) == 1 and field_path(node)[0] in COLUMN_FIELDS:
            return "number" if COLUMN_FIELDS[field_path(node)[0]] == "number" else "text"
        case _:
            return None


def _regular(glob: str) -> str:
    """Return the regular expression, in RE2's syntax, of a glob."""
    return f"(?s)^{''.join(map(_regular_letter, glob))}$"


def _regular_letter(letter: str) -> str:
    if letter in "*?":
        return ".*" if letter == "*" else "."
    return f"\\{letter}" if letter.isascii() and not letter.isalnum() else letter
