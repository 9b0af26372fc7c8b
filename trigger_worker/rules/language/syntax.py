"""The syntax tree of patterns and expressions: plain frozen data, each node with its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

CompareOperator = Literal["==", "!=", "<", "<=", ">", ">="]
ArithmeticOperator = Literal["+", "-", "*", "/"]
AggregateFunction = Literal["sum", "avg", "min", "max", "uniq"]
MessageFactName = Literal["delivered", "shown", "opened", "clicked"]

#: The name that stands for every event a visitor causes.
ANY: Final = "any"


class Node(msgspec.Struct, frozen=True):
    """A part of a text; `start` is its offset in characters from the text's beginning."""

    start: int


class Number(Node, frozen=True):
    """A number literal."""

    value: float


class Text(Node, frozen=True):
    """A text in quotes."""

    value: str


class Boolean(Node, frozen=True):
    """`true` or `false`."""

    value: bool


class Duration(Node, frozen=True):
    """A duration literal, in milliseconds."""

    ms: int


Literals = Number | Text | Boolean | Duration


class Name(Node, frozen=True):
    """A name with the parts that its dots separate, such as `price` or `props.colour`."""

    path: tuple[str, ...]


class Not(Node, frozen=True):
    """True when its operand is not."""

    operand: Expression


class And(Node, frozen=True):
    """True when every operand is."""

    operands: tuple[Expression, ...]


class Or(Node, frozen=True):
    """True when an operand is."""

    operands: tuple[Expression, ...]


class Comparison(Node, frozen=True):
    """Two values compared."""

    operator: CompareOperator
    left: Expression
    right: Expression


class Membership(Node, frozen=True):
    """A value that is one of several literals."""

    operand: Expression
    options: tuple[Literals, ...]


class Glob(Node, frozen=True):
    """A text that fits a pattern in which `*` is any run of characters and `?` any one."""

    operand: Expression
    pattern: str


class Arithmetic(Node, frozen=True):
    """Two values added, subtracted, multiplied or divided."""

    operator: ArithmeticOperator
    left: Expression
    right: Expression


class Negative(Node, frozen=True):
    """A value with its sign turned."""

    operand: Expression


class Selection(Node, frozen=True):
    """The events that go by one of the names and fulfil the condition."""

    names: tuple[str, ...]
    condition: Expression | None = None

    @property
    def is_any(self) -> bool:
        """Whether the names are the keyword `any`."""
        return self.names == (ANY,)


class Count(Node, frozen=True):
    """How many such events happened in the window."""

    selection: Selection
    window: Duration


class Aggregate(Node, frozen=True):
    """A field of the events in the window, made one value."""

    function: AggregateFunction
    selection: Selection
    field: Name
    window: Duration


class FirstOrLast(Node, frozen=True):
    """A field of the latest or the earliest such event."""

    function: Literal["last", "first"]
    selection: Selection
    field: Name


class Since(Node, frozen=True):
    """The time that passed since the latest such event."""

    selection: Selection


class Extreme(Node, frozen=True):
    """The smaller or the greater of two numbers."""

    function: Literal["min", "max"]
    left: Expression
    right: Expression


class Audience(Node, frozen=True):
    """A segment or a score of audiences.yaml, by name."""

    kind: Literal["segment", "score"]
    name: str


class MessageFact(Node, frozen=True):
    """What became of this firing's message on a channel."""

    fact: MessageFactName
    channel: str


Expression = (
    Number
    | Text
    | Boolean
    | Duration
    | Name
    | Not
    | And
    | Or
    | Comparison
    | Membership
    | Glob
    | Arithmetic
    | Negative
    | Count
    | Aggregate
    | FirstOrLast
    | Since
    | Extreme
    | Audience
    | MessageFact
)


class Step(Node, frozen=True):
    """One event of a chain, and how long after the one before it may come."""

    selection: Selection
    within: Duration | None = None


class Absence(Node, frozen=True):
    """Events that must not come for a while."""

    selection: Selection
    within: Duration


class Pattern(Node, frozen=True):
    """A chain of events, and what must not follow it."""

    steps: tuple[Step, ...]
    absence: Absence | None = None


def children(node: Expression) -> Sequence[Expression]:
    """The operands of an expression that are asked of the same subject as the expression itself.

    The condition inside a selection is not among them: it is asked of single events.
    """
    match node:
        case And() | Or():
            return node.operands
        case Not() | Negative() | Membership() | Glob():
            return (node.operand,)
        case Comparison() | Arithmetic() | Extreme():
            return (node.left, node.right)
        case _:
            return ()


def conditions(pattern: Pattern) -> list[Expression]:
    """The conditions of a pattern's steps and of its absence, in order."""
    selections = [step.selection for step in pattern.steps]
    if pattern.absence is not None:
        selections.append(pattern.absence.selection)
    return [each.condition for each in selections if each.condition is not None]


def selection_of(node: Expression) -> Selection | None:
    """The events that a term looks at, or None for anything but a term over events."""
    return node.selection if isinstance(node, Count | Aggregate | FirstOrLast | Since) else None


#: `unknown` is a custom field or a trait: it takes the type of whatever it meets.
ValueType = Literal["text", "number", "boolean", "duration", "unknown"]

DESCRIPTIONS: Final[dict[ValueType, str]] = {
    "text": "a text",
    "number": "a number",
    "boolean": "true or false",
    "duration": "a duration",
    "unknown": "a value",
}


def agree(first: ValueType, second: ValueType) -> bool:
    """Whether values of both types can be compared."""
    return first == second or "unknown" in {first, second}
