"""Parts of an expression whose meaning depends on the function that they are handed to."""

from __future__ import annotations

import msgspec

from trigger_worker.rules.language.errors import Misplaced, Refusal
from trigger_worker.rules.language.syntax import ANY, Expression, Name, Or, Selection


class FieldOf(msgspec.Struct, frozen=True):
    """A field of selected events, such as `purchase[value > 10].value`."""

    selection: Selection
    field: Name


#: What may stand as an argument: a value, events, or a field of events.
Unresolved = Expression | Selection | FieldOf


def as_value(node: Unresolved) -> Expression:
    """Returns the node when it is a value.

    Raises:
        Refusal: when it is a set of events, or a field of many events.
    """
    if isinstance(node, FieldOf):
        raise Refusal(
            "expected a value, found a field of many events",
            node.selection.start,
            f"say which one, as in last(... .{node.field.path[0]})",
        )
    if isinstance(node, Selection):
        raise Refusal("expected a value, found events", node.start, "count them, as in count(EVENT[...], 24h) > 0")
    if isinstance(node, Name) and node.path[0] == ANY:
        raise Refusal("expected a value, found any", node.start, "`any` stands for events, as in count(any, 24h)")
    return node


def as_selection(node: Unresolved) -> Selection:
    """Returns the node when it can be read as events: a name, `(a or b)`, or either with a condition.

    Raises:
        Misplaced: when it is anything else.
    """
    match node:
        case Selection():
            return node
        case Name(path=(name,)):
            return Selection(node.start, (name,))
        case Or(operands=operands):
            return Selection(node.start, tuple(_event_name(operand) for operand in operands))
        case _:
            raise Misplaced("expected an event such as view_item", start_of(node))


def as_field(node: Unresolved) -> FieldOf:
    """Returns the node when it can be read as a field of events, such as `purchase.value`.

    Raises:
        Misplaced: when it is anything else.
    """
    match node:
        case FieldOf():
            return node
        case Name(path=(event, *rest)) if rest:
            field = Name(node.start + len(event) + 1, tuple(rest))
            return FieldOf(Selection(node.start, (event,)), field)
        case _:
            raise Misplaced("expected an event and its field, such as purchase.value", start_of(node))


def start_of(node: Unresolved) -> int:
    """Returns the offset at which the node begins."""
    return node.selection.start if isinstance(node, FieldOf) else node.start


def _event_name(node: Expression) -> str:
    match node:
        case Name(path=(name,)) if name != ANY:
            return name
        case _:
            raise Misplaced("expected an event such as view_item", node.start)
