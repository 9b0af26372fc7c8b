"""Define the arguments of calls: list those of a node, and read a part of a text as one.

While a text is parsed, `view_item` may be a name or an event, and `(a or b)` a condition or two events: the function
around them decides, by reading them as a value, as events or as a field of events.
"""

from __future__ import annotations

from collections.abc import Sequence

from trigger_worker.rules.language.errors import Misplaced, Refusal
from trigger_worker.rules.language.syntax import (
    ANY,
    Aggregate,
    Audience,
    Call,
    Count,
    EventTerm,
    Expression,
    Extreme,
    FirstOrLast,
    MessageFact,
    Name,
    Node,
    Or,
    Selection,
    Since,
    Text,
)
from warehouse.vocabulary import our_event_name


class FieldOf(Node, frozen=True):
    """A field of each selected event, such as `purchase[value > 10].value`."""

    selection: Selection
    field: Name


#: A value, events, or a field of events.
Argument = Expression | Selection | FieldOf


def arguments_of(call: Call) -> Sequence[Argument]:
    """Return the arguments of a call, in the order in which its text has them."""
    if isinstance(call, EventTerm):
        return _arguments_of_term(call)
    match call:
        case Extreme():
            return (call.left, call.right)
        case Audience():
            return (Text(call.start, call.name),)
        case MessageFact():
            return (Name(call.start, (call.channel,)),)


def event_name(name: str, start: int) -> str:
    """Return the name under which events are stored, of a name as an author writes it.

    Names of commerce are ours, however they are written, as those of events are when they come in.

    Args:
        name: the name, without quotes.
        start: its offset in the text.

    Raises:
        Refusal: no event has such a name.
    """
    stripped = name.strip()
    if not stripped or stripped == ANY:
        raise Refusal(f"no event is named {name!r}", start, "write any, without quotes, for every event")
    return our_event_name(stripped)


def as_value(node: Argument) -> Expression:
    """Return a node that is a value.

    Raises:
        Refusal: the node is a set of events, or a field of many events.
    """
    if isinstance(node, FieldOf):
        raise Refusal(
            "expected a value, found a field of many events",
            node.start,
            f"say which one, as in last(... .{node.field.path[0]})",
        )
    if isinstance(node, Selection):
        raise Refusal("expected a value, found events", node.start, "count them, as in count(EVENT[...], 24h) > 0")
    if isinstance(node, Name) and node.path[0] == ANY:
        raise Refusal("expected a value, found any", node.start, "`any` stands for events, as in count(any, 24h)")
    return node


def as_selection(node: Argument) -> Selection:
    """Return the events that a node names: one name, `(a or b)`, or either with a condition.

    Raises:
        Misplaced: the node names no events.
    """
    match node:
        case Selection():
            return node
        case Name(path=(name,)):
            return Selection(node.start, (name if name == ANY else event_name(name, node.start),))
        case Text(value=name):
            return Selection(node.start, (event_name(name, node.start),))
        case Or(operands=operands):
            return Selection(node.start, tuple(_event_name(operand) for operand in operands))
        case _:
            raise Misplaced("expected an event such as view_item", node.start)


def as_field(node: Argument) -> FieldOf:
    """Return the field of events that a node names, such as `purchase.value`.

    Raises:
        Misplaced: the node names no field of events.
    """
    match node:
        case FieldOf():
            return node
        case Name(path=(event, *rest)) if rest:
            field = Name(node.start + len(event) + 1, tuple(rest))
            return FieldOf(
                node.start, Selection(node.start, (event if event == ANY else event_name(event, node.start),)), field
            )
        case _:
            raise Misplaced("expected an event and its field, such as purchase.value", node.start)


def _arguments_of_term(term: EventTerm) -> Sequence[Argument]:
    match term:
        case Count():
            return (term.selection, term.window)
        case Aggregate():
            return (FieldOf(term.selection.start, term.selection, term.field), term.window)
        case FirstOrLast():
            return (FieldOf(term.selection.start, term.selection, term.field),)
        case Since():
            return (term.selection,)


def _event_name(node: Expression) -> str:
    match node:
        case Name(path=(name,)) if name != ANY:
            return event_name(name, node.start)
        case Text(value=name):
            return event_name(name, node.start)
        case _:
            raise Misplaced("expected an event such as view_item", node.start)
