"""Render a syntax tree as its canonical text: trees that differ only in spelling have the same text."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from trigger_worker.rules.language.arguments import Argument, FieldOf, arguments_of
from trigger_worker.rules.language.duration import format_duration
from trigger_worker.rules.language.syntax import (
    And,
    Arithmetic,
    Boolean,
    Call,
    Comparison,
    Duration,
    Expression,
    Glob,
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

_OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _SIGN, _ATOM = range(8)

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Words that the grammar reads as something else; `any` is that in events.
_KEYWORDS: Final = frozenset({"within", "no", "or", "and", "in", "not", "true", "false"})
_BINDING: Final = {"+": _ADD, "-": _ADD, "*": _MULTIPLY, "/": _MULTIPLY}


def render_pattern(pattern: Pattern) -> str:
    """Return the canonical text of a pattern; parsing it gives the pattern back."""
    parts = [render_step(step) for step in pattern.steps]
    if pattern.absence is not None:
        absence = pattern.absence
        parts.append(f"no {render_selection(absence.selection)} within {format_duration(absence.within.ms)}")
    return " -> ".join(parts)


def render_step(step: Step) -> str:
    """Return the canonical text of one step of a pattern."""
    within = f" within {format_duration(step.within.ms)}" if step.within else ""
    return render_selection(step.selection) + within


def render_selection(selection: Selection) -> str:
    """Return the canonical text of the events of a step or a term, names in alphabetical order."""
    names = sorted(_event(name) for name in set(selection.names))
    events = names[0] if len(names) == 1 else f"({' or '.join(names)})"
    return events if selection.condition is None else f"{events}[{render(selection.condition)}]"


def _event(name: str) -> str:
    """Return the text of an event's name: in quotes, unless it reads as a name without them."""
    return name if _NAME.fullmatch(name) and name not in _KEYWORDS else _quoted(name)


def render(node: Expression) -> str:
    """Return the canonical text of an expression, with no more parentheses than parsing it back needs."""
    return _render(node)[0]


def _render(node: Expression) -> tuple[str, int]:
    """Return the text and how tightly its outermost operator binds."""
    match node:
        case Or() | And() | Not():
            return _logic(node)
        case Comparison() | Membership() | Glob():
            return _test(node), _COMPARE
        case Arithmetic():
            binding = _BINDING[node.operator]
            left, right = _operand(node.left, binding), _operand(node.right, binding + 1)
            return f"{left} {node.operator} {right}", binding
        case Negative():
            return f"-{_operand(node.operand, _SIGN)}", _SIGN
        case _:
            return _atom(node), _ATOM


def _logic(node: Or | And | Not) -> tuple[str, int]:
    if isinstance(node, Not):
        return f"not {_operand(node.operand, _NOT)}", _NOT
    if isinstance(node, And):
        return " and ".join(_operand(each, _NOT) for each in node.operands), _AND
    return " or ".join(_operand(each, _AND) for each in node.operands), _OR


def _test(node: Comparison | Membership | Glob) -> str:
    if isinstance(node, Comparison):
        return f"{_operand(node.left, _ADD)} {node.operator} {_operand(node.right, _ADD)}"
    operand = _operand(node.operand, _ADD)
    if isinstance(node, Glob):
        return f"{operand} ~ {_quoted(node.pattern)}"
    return f"{operand} in [{', '.join(render(option) for option in node.options)}]"


def _operand(node: Expression, at_least: int) -> str:
    text, binding = _render(node)
    return text if binding >= at_least else f"({text})"


def _atom(node: Expression) -> str:
    if isinstance(node, Call):
        return f"{node.function}({', '.join(map(_argument, arguments_of(node)))})"
    match node:
        case Number(value=value, digits=digits):
            return digits or format(Decimal(repr(value)).normalize(), "f")
        case Text(value=value):
            return _quoted(value)
        case Boolean(value=value):
            return "true" if value else "false"
        case Duration(ms=duration_ms):
            return format_duration(duration_ms)
        case Name(path=path):
            return ".".join(path)
        case _:
            raise TypeError(f"{type(node).__name__} has no text")


def _argument(node: Argument) -> str:
    if isinstance(node, Selection):
        return render_selection(node)
    return f"{render_selection(node.selection)}.{render(node.field)}" if isinstance(node, FieldOf) else render(node)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
