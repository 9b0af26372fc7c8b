"""Check the types of literals and operators: the types that an operator takes, and the type of its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trigger_worker.rules.language.errors import Finding
from trigger_worker.rules.language.render import render
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
    Negative,
    Not,
    Number,
    Or,
    Text,
    ValueType,
    children,
)

TypeOf = Callable[[Expression], ValueType]
Report = Callable[[Finding], None]

#: The types in words, for messages.
DESCRIPTIONS: Final[dict[ValueType, str]] = {
    "text": "a text",
    "number": "a number",
    "boolean": "true or false",
    "duration": "a duration",
    "unknown": "a value",
}

_NUMERIC: Final = frozenset({"number", "duration", "unknown"})

#: The type that each operator makes of two known numeric types; an absent combination has no meaning.
_RESULTS: Final[dict[tuple[str, ValueType, ValueType], ValueType]] = {
    ("+", "number", "number"): "number",
    ("-", "number", "number"): "number",
    ("*", "number", "number"): "number",
    ("/", "number", "number"): "number",
    ("+", "duration", "duration"): "duration",
    ("-", "duration", "duration"): "duration",
    ("/", "duration", "duration"): "number",
    ("*", "duration", "number"): "duration",
    ("*", "number", "duration"): "duration",
    ("/", "duration", "number"): "duration",
}


def operator_type(node: Expression, type_of: TypeOf, report: Report) -> ValueType | None:
    """Return the type of the value of a literal or an operator, None when the node is neither.

    Args:
        node: the node to check.
        type_of: checks an operand and returns its type.
        report: takes a finding for each operand that does not fit.
    """
    match node:
        case Number() | Text() | Boolean() | Duration():
            pass
        case And() | Or() | Not():
            for operand in children(node):
                expect_boolean(operand, type_of, report)
        case Comparison():
            _check_comparison(node, type_of, report)
        case Membership():
            _check_membership(node, type_of, report)
        case Glob():
            _expect(node.operand, "text", "before ~", type_of, report)
        case Arithmetic() | Extreme() | Negative():
            return _calculation_type(node, type_of, report)
        case _:
            return None
    return node.value_type


def agree(first: ValueType, second: ValueType) -> bool:
    """Tell whether values of two types can be compared."""
    return first == second or "unknown" in {first, second}


def expect_boolean(node: Expression, type_of: TypeOf, report: Report) -> None:
    """Report a value that is neither true nor false where a condition is needed."""
    found = type_of(node)
    if found not in {"boolean", "unknown"}:
        message = f"expected a condition that is true or false, found {_describe(found, node)}"
        report(Finding(message, node.start, f"compare it, as in {render(node)} == ..."))


def _expect(node: Expression, wanted: ValueType, where: str, type_of: TypeOf, report: Report) -> None:
    found = type_of(node)
    if not agree(found, wanted):
        message = f"expected {DESCRIPTIONS[wanted]} {where}, found {_describe(found, node)}"
        report(Finding(message, node.start))


def _check_comparison(node: Comparison, type_of: TypeOf, report: Report) -> None:
    left, right = type_of(node.left), type_of(node.right)
    if not agree(left, right):
        wanted = f"expected {DESCRIPTIONS[left]} to compare with {render(node.left)}"
        hint = "write a duration with its unit, such as 3s" if {left, right} == {"duration", "number"} else ""
        report(Finding(f"{wanted}, found {_describe(right, node.right)}", node.right.start, hint))
    elif "boolean" in {left, right} and node.operator not in {"==", "!="}:
        report(Finding(f"true and false have no order, so {node.operator} cannot compare them", node.start))


def _check_membership(node: Membership, type_of: TypeOf, report: Report) -> None:
    operand, first = type_of(node.operand), type_of(node.options[0])
    wanted = first if operand == "unknown" else operand
    for option in node.options:
        found = type_of(option)
        if not agree(found, wanted):
            message = f"expected {DESCRIPTIONS[wanted]} in this list, found {_describe(found, option)}"
            report(Finding(message, option.start))


def _calculation_type(node: Arithmetic | Extreme | Negative, type_of: TypeOf, report: Report) -> ValueType:
    types = [_numeric_type(operand, type_of, report) for operand in children(node)]
    if isinstance(node, Negative):
        return types[0]
    if isinstance(node, Extreme):
        return _extreme_type(node, types, report)
    left, right = types
    if "unknown" in types:
        known = right if left == "unknown" else left
        return known if node.operator in "+-" else "unknown"
    result = _RESULTS.get((node.operator, left, right))
    if result is None:
        message = f"{DESCRIPTIONS[left]} {node.operator} {DESCRIPTIONS[right]} has no meaning"
        report(Finding(message, node.start, "write a duration with its unit, such as 3s"))
        return "unknown"
    return result


def _extreme_type(node: Extreme, types: list[ValueType], report: Report) -> ValueType:
    for operand, found in zip((node.left, node.right), types, strict=True):
        if found == "duration":
            message = f"expected a number in {node.function}(a, b), found {_describe(found, operand)}"
            report(Finding(message, operand.start))
    return node.value_type


def _numeric_type(node: Expression, type_of: TypeOf, report: Report) -> ValueType:
    found = type_of(node)
    if found in _NUMERIC:
        return found
    report(Finding(f"expected a number, found {_describe(found, node)}", node.start))
    return "unknown"


def _describe(found: ValueType, node: Expression) -> str:
    return f"{DESCRIPTIONS[found]}: {render(node)}"
