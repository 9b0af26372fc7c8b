"""Build the node of a call such as `count(view_item, 24h)`; `FUNCTIONS` is every function of the language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from trigger_worker.rules.language.arguments import Argument, as_field, as_selection, as_value
from trigger_worker.rules.language.errors import Misplaced, Refusal, did_you_mean
from trigger_worker.rules.language.syntax import (
    Aggregate,
    AggregateFunction,
    Audience,
    Call,
    Count,
    Duration,
    Extreme,
    FirstOrLast,
    MessageFact,
    MessageFactName,
    Name,
    Since,
    Text,
)

_Build = Callable[[int, Sequence[Argument]], Call]


class _Function(msgspec.Struct, frozen=True):
    """A function of the language.

    Args:
        usage: how a call of it is written, shown when a call has the wrong number of arguments.
        arguments: the number of its arguments.
        build: makes the node of a call from the offset of the function's name and the arguments.
    """

    usage: str
    arguments: int
    build: _Build


def build_call(name: str, start: int, arguments: Sequence[Argument]) -> Call:
    """Build the node that a call stands for.

    Args:
        name: the function's name.
        start: the offset of the name.
        arguments: the parts between the parentheses.

    Raises:
        Refusal: the function is unknown, or the arguments do not fit it.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        raise Refusal(f"there is no function {name}", start, did_you_mean(name, FUNCTIONS))
    if len(arguments) != function.arguments:
        plural = "argument" if function.arguments == 1 else "arguments"
        message = f"{name} takes {function.arguments} {plural}, found {len(arguments)}"
        raise Refusal(message, start, f"write it as in {function.usage}")
    return function.build(start, arguments)


def _count(start: int, arguments: Sequence[Argument]) -> Count:
    return Count(start, as_selection(arguments[0]), _window(arguments[1]))


def _since(start: int, arguments: Sequence[Argument]) -> Since:
    return Since(start, as_selection(arguments[0]))


def _aggregate(function: AggregateFunction) -> _Build:
    def build(start: int, arguments: Sequence[Argument]) -> Aggregate:
        field_of = as_field(arguments[0])
        return Aggregate(start, function, field_of.selection, field_of.field, _window(arguments[1]))

    return build


def _extreme(function: Literal["min", "max"]) -> _Build:
    aggregate = _aggregate(function)

    def build(start: int, arguments: Sequence[Argument]) -> Call:
        if isinstance(arguments[1], Duration):
            return aggregate(start, arguments)
        return Extreme(start, function, as_value(arguments[0]), as_value(arguments[1]))

    return build


def _first_or_last(function: Literal["last", "first"]) -> _Build:
    def build(start: int, arguments: Sequence[Argument]) -> FirstOrLast:
        field_of = as_field(arguments[0])
        return FirstOrLast(start, function, field_of.selection, field_of.field)

    return build


def _audience(kind: Literal["segment", "score"]) -> _Build:
    def build(start: int, arguments: Sequence[Argument]) -> Audience:
        if not isinstance(arguments[0], Text):
            message = f'expected the name of a {kind} in quotes, such as {kind}("name")'
            raise Misplaced(message, arguments[0].start)
        return Audience(start, kind, arguments[0].value)

    return build


def _message_fact(fact: MessageFactName) -> _Build:
    def build(start: int, arguments: Sequence[Argument]) -> MessageFact:
        match arguments[0]:
            case Name(path=(channel,)):
                return MessageFact(start, fact, channel)
            case _:
                raise Misplaced(f"expected a channel, as in {FUNCTIONS[fact].usage}", arguments[0].start)

    return build


def _window(node: Argument) -> Duration:
    if not isinstance(node, Duration):
        raise Misplaced("expected a window such as 24h", node.start)
    return node


FUNCTIONS: Final[dict[str, _Function]] = {
    "count": _Function("count(view_item, 24h)", 2, _count),
    "sum": _Function("sum(purchase.value, 30d)", 2, _aggregate("sum")),
    "avg": _Function("avg(purchase.value, 30d)", 2, _aggregate("avg")),
    "min": _Function("min(purchase.value, 30d) or min(1, 2)", 2, _extreme("min")),
    "max": _Function("max(purchase.value, 30d) or max(1, 2)", 2, _extreme("max")),
    "uniq": _Function("uniq(view_item.product_id, 24h)", 2, _aggregate("uniq")),
    "last": _Function("last(view_item.category)", 1, _first_or_last("last")),
    "first": _Function("first(view_item.category)", 1, _first_or_last("first")),
    "since": _Function("since(purchase)", 1, _since),
    "segment": _Function('segment("name")', 1, _audience("segment")),
    "score": _Function('score("name")', 1, _audience("score")),
    "delivered": _Function("delivered(email)", 1, _message_fact("delivered")),
    "shown": _Function("shown(banner)", 1, _message_fact("shown")),
    "opened": _Function("opened(email)", 1, _message_fact("opened")),
    "clicked": _Function("clicked(email)", 1, _message_fact("clicked")),
}
