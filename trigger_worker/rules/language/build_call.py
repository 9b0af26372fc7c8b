"""Calls such as `count(view_item, 24h)`, made into the node of their function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

from trigger_worker.rules.language.errors import Misplaced, Refusal, did_you_mean
from trigger_worker.rules.language.syntax import (
    Aggregate,
    AggregateFunction,
    Audience,
    Count,
    Duration,
    Expression,
    Extreme,
    FirstOrLast,
    MessageFact,
    MessageFactName,
    Name,
    Since,
    Text,
)
from trigger_worker.rules.language.unresolved import Unresolved, as_field, as_selection, as_value, start_of

Builder = Callable[[int, Sequence[Unresolved]], Expression]

#: How each function is used, shown when a call has the wrong number of arguments.
USAGE: Final[dict[str, str]] = {
    "count": "count(view_item, 24h)",
    "sum": "sum(purchase.value, 30d)",
    "avg": "avg(purchase.value, 30d)",
    "min": "min(purchase.value, 30d) or min(1, 2)",
    "max": "max(purchase.value, 30d) or max(1, 2)",
    "uniq": "uniq(view_item.product_id, 24h)",
    "last": "last(view_item.category)",
    "first": "first(view_item.category)",
    "since": "since(purchase)",
    "segment": 'segment("name")',
    "score": 'score("name")',
    "delivered": "delivered(email)",
    "shown": "shown(banner)",
    "opened": "opened(email)",
    "clicked": "clicked(email)",
}

_TWO_ARGUMENTS: Final = frozenset({"count", "sum", "avg", "min", "max", "uniq"})


def build_call(name: str, start: int, arguments: Sequence[Unresolved]) -> Expression:
    """Builds the node that a call stands for.

    Args:
        name: the function's name.
        start: the offset of the name.
        arguments: what stands between the parentheses.

    Raises:
        Refusal: for an unknown function, and for arguments that do not fit it.
    """
    builder = _BUILDERS.get(name)
    if builder is None:
        raise Refusal(f"there is no function {name}", start, did_you_mean(name, USAGE))
    expected = 2 if name in _TWO_ARGUMENTS else 1
    if len(arguments) != expected:
        plural = "arguments" if expected == 2 else "argument"
        message = f"{name} takes {expected} {plural}, found {len(arguments)}"
        raise Refusal(message, start, f"write it as in {USAGE[name]}")
    return builder(start, arguments)


def _count(start: int, arguments: Sequence[Unresolved]) -> Count:
    return Count(start, as_selection(arguments[0]), _window(arguments[1]))


def _since(start: int, arguments: Sequence[Unresolved]) -> Since:
    return Since(start, as_selection(arguments[0]))


def _aggregate(function: AggregateFunction) -> Builder:
    def build(start: int, arguments: Sequence[Unresolved]) -> Aggregate:
        field_of = as_field(arguments[0])
        return Aggregate(start, function, field_of.selection, field_of.field, _window(arguments[1]))

    return build


def _extreme(function: Literal["min", "max"]) -> Builder:
    aggregate = _aggregate(function)

    def build(start: int, arguments: Sequence[Unresolved]) -> Expression:
        if isinstance(arguments[1], Duration):
            return aggregate(start, arguments)
        return Extreme(start, function, as_value(arguments[0]), as_value(arguments[1]))

    return build


def _edge(function: Literal["last", "first"]) -> Builder:
    def build(start: int, arguments: Sequence[Unresolved]) -> FirstOrLast:
        field_of = as_field(arguments[0])
        return FirstOrLast(start, function, field_of.selection, field_of.field)

    return build


def _audience(kind: Literal["segment", "score"]) -> Builder:
    def build(start: int, arguments: Sequence[Unresolved]) -> Audience:
        if not isinstance(arguments[0], Text):
            message = f'expected the name of a {kind} in quotes, such as {kind}("name")'
            raise Misplaced(message, start_of(arguments[0]))
        return Audience(start, kind, arguments[0].value)

    return build


def _message_fact(fact: MessageFactName) -> Builder:
    def build(start: int, arguments: Sequence[Unresolved]) -> MessageFact:
        match arguments[0]:
            case Name(path=(channel,)):
                return MessageFact(start, fact, channel)
            case _:
                raise Misplaced(f"expected a channel, as in {USAGE[fact]}", start_of(arguments[0]))

    return build


def _window(node: Unresolved) -> Duration:
    if not isinstance(node, Duration):
        raise Misplaced("expected a window such as 24h", start_of(node))
    return node


_BUILDERS: Final[dict[str, Builder]] = {
    "count": _count,
    "since": _since,
    "sum": _aggregate("sum"),
    "avg": _aggregate("avg"),
    "uniq": _aggregate("uniq"),
    "min": _extreme("min"),
    "max": _extreme("max"),
    "last": _edge("last"),
    "first": _edge("first"),
    "segment": _audience("segment"),
    "score": _audience("score"),
    "delivered": _message_fact("delivered"),
    "shown": _message_fact("shown"),
    "opened": _message_fact("opened"),
    "clicked": _message_fact("clicked"),
}
