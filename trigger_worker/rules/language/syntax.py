"""Define the nodes of the syntax tree of patterns and expressions: immutable data, each node with its place.

Most modules need not know the class of a node: they ask for the type of its value, its `children`, and for a call its
`function` and `arguments_of` it. A new node belongs to one of the unions below the nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, Literal

import msgspec

CompareOperator = Literal["==", "!=", "<", "<=", ">", ">="]
ArithmeticOperator = Literal["+", "-", "*", "/"]
AggregateFunction = Literal["sum", "avg", "min", "max", "uniq"]
MessageFactName = Literal["delivered", "shown", "opened", "clicked"]

#: The type of a value. `unknown` is a custom field or a trait: it takes the type of the value that it meets.
ValueType = Literal["text", "number", "boolean", "duration", "unknown"]

#: The name that stands for every event a visitor causes.
ANY: Final = "any"


class Node(msgspec.Struct, frozen=True):
    """A part of a text.

    Args:
        start: its offset in characters from the text's beginning.
    """

    start: int


class ExpressionNode(Node, frozen=True):
    """A part of an expression that has a value.

    `value_type` is the type of the value, or `unknown` where it depends on the parts of the node.
    """

    value_type: ClassVar[ValueType] = "unknown"


class Number(ExpressionNode, frozen=True):
    """A number literal.

    Args:
        value: the number.
        digits: all digits of a whole number with more of them than `value` holds, which stands for an id; else ''.
    """

    value: float
    digits: str = ""
    value_type: ClassVar[ValueType] = "number"


class Text(ExpressionNode, frozen=True):
    """A text in quotes."""

    value: str
    value_type: ClassVar[ValueType] = "text"


class Boolean(ExpressionNode, frozen=True):
    """The literal `true` or `false`."""

    value: bool
    value_type: ClassVar[ValueType] = "boolean"


class Duration(ExpressionNode, frozen=True):
    """A duration literal, in ms."""

    ms: int
    value_type: ClassVar[ValueType] = "duration"


class Name(ExpressionNode, frozen=True):
    """A name with the parts that its dots separate, such as `price` or `props.colour`."""

    path: tuple[str, ...]


class Not(ExpressionNode, frozen=True):
    """A negation: true when its operand is not true."""

    operand: Expression
    value_type: ClassVar[ValueType] = "boolean"


class And(ExpressionNode, frozen=True):
    """A conjunction: true when every operand is true."""

    operands: tuple[Expression, ...]
    value_type: ClassVar[ValueType] = "boolean"


class Or(ExpressionNode, frozen=True):
    """A disjunction: true when at least one operand is true."""

    operands: tuple[Expression, ...]
    value_type: ClassVar[ValueType] = "boolean"


class Comparison(ExpressionNode, frozen=True):
    """A comparison of two values."""

    operator: CompareOperator
    left: Expression
    right: Expression
    value_type: ClassVar[ValueType] = "boolean"


class Membership(ExpressionNode, frozen=True):
    """A test whether a value is one of several literals."""

    operand: Expression
    options: tuple[Literals, ...]
    value_type: ClassVar[ValueType] = "boolean"


class Glob(ExpressionNode, frozen=True):
    """A test whether a text fits a pattern in which `*` is any run of characters and `?` any one character."""

    operand: Expression
    pattern: str
    value_type: ClassVar[ValueType] = "boolean"


class Arithmetic(ExpressionNode, frozen=True):
    """An addition, subtraction, multiplication or division of two values."""

    operator: ArithmeticOperator
    left: Expression
    right: Expression


class Negative(ExpressionNode, frozen=True):
    """A value with its sign reversed."""

    operand: Expression


class Selection(Node, frozen=True):
    """A choice of events: by name, and by a condition on each event."""

    names: tuple[str, ...]
    condition: Expression | None = None

    @property
    def is_any(self) -> bool:
        """Tell whether the names are the keyword `any`."""
        return self.names == (ANY,)


class Count(ExpressionNode, frozen=True):
    """The number of selected events in a window: `count(view_item, 24h)`."""

    selection: Selection
    window: Duration
    value_type: ClassVar[ValueType] = "number"
    function: ClassVar[str] = "count"
    field: ClassVar[None] = None


class Aggregate(ExpressionNode, frozen=True):
    """One value made from a field of the selected events in a window: `sum(purchase.value, 30d)`."""

    function: AggregateFunction
    selection: Selection
    field: Name
    window: Duration


class FirstOrLast(ExpressionNode, frozen=True):
    """A field of the earliest or the latest selected event: `last(view_item.category)`."""

    function: Literal["last", "first"]
    selection: Selection
    field: Name


class Since(ExpressionNode, frozen=True):
    """The time since the latest selected event: `since(purchase)`."""

    selection: Selection
    value_type: ClassVar[ValueType] = "duration"
    function: ClassVar[str] = "since"
    field: ClassVar[None] = None


class Extreme(ExpressionNode, frozen=True):
    """The smaller or the greater of two numbers: `min(cart.value, 100)`."""

    function: Literal["min", "max"]
    left: Expression
    right: Expression
    value_type: ClassVar[ValueType] = "number"


class Audience(ExpressionNode, frozen=True):
    """A segment or a score of audiences.yaml, by name: `segment("high_intent")`."""

    kind: Literal["segment", "score"]
    name: str

    @property
    def function(self) -> str:
        """The kind of audience."""
        return self.kind


class MessageFact(ExpressionNode, frozen=True):
    """A fact about this firing's message on a channel: `opened(email)`."""

    function: MessageFactName
    channel: str
    value_type: ClassVar[ValueType] = "boolean"


Literals = Number | Text | Boolean | Duration

#: Terms over a visitor's events: each has a `selection` of events, and the `field` that it reads of them or None.
EventTerm = Count | Aggregate | FirstOrLast | Since

#: Nodes that are written as the call of a `function`; `arguments_of` returns its arguments.
Call = EventTerm | Extreme | Audience | MessageFact

Expression = Literals | Name | Not | And | Or | Comparison | Membership | Glob | Arithmetic | Negative | Call


class Step(Node, frozen=True):
    """One event of a chain, and how long after the event before it it may come."""

    selection: Selection
    within: Duration | None = None


class Absence(Node, frozen=True):
    """Events that must not come for some time after a chain."""

    selection: Selection
    within: Duration


class Pattern(Node, frozen=True):
    """A chain of events, and the events that must not follow it."""

    steps: tuple[Step, ...]
    absence: Absence | None = None


def children(node: Expression) -> Sequence[Expression]:
    """Return the operands of an expression that are asked of the same subject as the expression itself.

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
