"""Compile literals and operators, alike for conditions on events and for expressions on visitors.

A missing operand makes a comparison false and an arithmetic result missing.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from math import isfinite
from typing import Any, Final, TypeVar

from trigger_worker.rules.evaluate.event import Value
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
)
from warehouse.amounts import LARGEST_EXACT

Subject = TypeVar("Subject")
Reader = Callable[[Subject], Value]
Compile = Callable[[Expression], Reader[Subject]]

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}

#: The usual number of operands of `and`.
_USUAL: Final = 2

_EXTREME: Final[dict[str, Callable[[float, float], float]]] = {"min": min, "max": max}


def compile_operator(node: Expression, compile_part: Compile[Subject]) -> Reader[Subject] | None:
    """Return the reader of a literal or an operator, None when the node is neither.

    A reader is a function from the subject, an event's fields or a moment, to the value.

    Args:
        node: the node to compile.
        compile_part: compiles each operand.
    """
    if isinstance(node, Number | Text | Boolean | Duration):
        return _constant(literal_value(node))
    if isinstance(node, And | Or | Not):
        return _logic(node, compile_part)
    if isinstance(node, Comparison):
        return _comparison(node, compile_part)
    if isinstance(node, Membership | Glob):
        return _test(node, compile_part(node.operand))
    if isinstance(node, Arithmetic | Extreme | Negative):
        return _calculation(node, compile_part)
    return None


def literal_value(node: Number | Text | Boolean | Duration) -> str | float | bool:
    """Return the value of a literal; that of a duration is its ms."""
    return float(node.ms) if isinstance(node, Duration) else node.value


def _constant(value: Value) -> Reader[Subject]:
    return lambda _: value


def _logic(node: And | Or | Not, compile_part: Compile[Subject]) -> Reader[Subject]:
    if isinstance(node, Not):
        operand = compile_part(node.operand)
        return lambda subject: operand(subject) is not True
    operands = tuple(compile_part(each) for each in node.operands)
    if isinstance(node, And) and len(operands) == _USUAL:
        # Most conditions are two; a generator for each evaluation would cost more than they do.
        first, second = operands
        return lambda subject: first(subject) is True and second(subject) is True
    if isinstance(node, And):
        return lambda subject: all(each(subject) is True for each in operands)
    return lambda subject: any(each(subject) is True for each in operands)


def _comparison(node: Comparison, compile_part: Compile[Subject]) -> Reader[Subject]:
    left = compile_part(node.left)
    compare = _COMPARE[node.operator]
    if isinstance(node.right, Number) and node.right.digits and node.operator in {"==", "!="}:
        return _comparison_with_id(left, compare, node.right)
    if isinstance(node.right, Number | Text | Boolean | Duration):
        return _comparison_with(left, compare, literal_value(node.right))
    right = compile_part(node.right)
    is_order = node.operator not in {"==", "!="}

    def compared(subject: Subject) -> bool:
        first = left(subject)
        if first is None or (is_order and type(first) is bool):
            return False
        second = right(subject)
        return type(first) is type(second) and compare(first, second)

    return compared


def _comparison_with(
    left: Reader[Subject], compare: Callable[[Any, Any], bool], value: str | float | bool
) -> Reader[Subject]:
    kind = type(value)

    def compared(subject: Subject) -> bool:
        first = left(subject)
        return type(first) is kind and compare(first, value)

    return compared


def _comparison_with_id(left: Reader[Subject], compare: Callable[[Any, Any], bool], node: Number) -> Reader[Subject]:
    """Compare with a number that has more digits than a float: a text by all of them, a number as a number."""
    # A field that is a number by its name has no more digits than a float; up to `LARGEST_EXACT` it has all of its own.
    rights: dict[type, str | float] = {str: node.digits}
    if abs(node.value) > LARGEST_EXACT:
        rights[float] = node.value

    def compared(subject: Subject) -> bool:
        first = left(subject)
        right = rights.get(type(first))
        return right is not None and compare(first, right)

    return compared


def _test(node: Membership | Glob, operand: Reader[Subject]) -> Reader[Subject]:
    if isinstance(node, Glob):
        fits = _glob(node.pattern)
        return lambda subject: type(value := operand(subject)) is str and fits(value) is not None
    options = frozenset(literal_value(option) for option in node.options)
    kind = type(literal_value(node.options[0]))
    if ids := frozenset(option.digits for option in node.options if isinstance(option, Number) and option.digits):
        return lambda subject: (
            (value := operand(subject)) in (ids if type(value) is str else options) and (type(value) in {str, kind})
        )
    return lambda subject: type(value := operand(subject)) is kind and value in options


def _glob(pattern: str) -> Callable[[str], re.Match[str] | None]:
    """Return the matcher of a glob: each part between stars is found at its first place, so it never backtracks."""
    first, *rest = (_glob_part(part) for part in re.split(r"\*+", pattern))
    if not rest:
        return re.compile(first, re.DOTALL).fullmatch
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.DOTALL).fullmatch


def _glob_part(part: str) -> str:
    return "".join("." if character == "?" else re.escape(character) for character in part)


def _calculation(node: Arithmetic | Extreme | Negative, compile_part: Compile[Subject]) -> Reader[Subject]:
    if isinstance(node, Negative):
        operand = compile_part(node.operand)
        return lambda subject: -value if type(value := operand(subject)) is float else None
    left, right = compile_part(node.left), compile_part(node.right)
    calculate = _ARITHMETIC[node.operator] if isinstance(node, Arithmetic) else _EXTREME[node.function]

    def calculated(subject: Subject) -> float | None:
        first, second = left(subject), right(subject)
        if type(first) is not float or type(second) is not float:
            return None
        try:
            result = calculate(first, second)
        except ZeroDivisionError:
            return None
        return result if isfinite(result) else None

    return calculated
