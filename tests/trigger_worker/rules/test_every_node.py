"""Every node of the syntax tree, walked through every place that must know it.

A new node, or a new function of the language, needs an example here; the failures name the node and the place that
forgot it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
import pytest

from tests.trigger_worker.rules.evaluate.support import NOON, audiences, event, ms
from trigger_worker.replay.explanation import explain_term
from trigger_worker.rules.evaluate.compiled_rule import compile_rule
from trigger_worker.rules.evaluate.event import Value
from trigger_worker.rules.evaluate.expression import ExpressionCompiler
from trigger_worker.rules.evaluate.history import History, Moment
from trigger_worker.rules.evaluate.needs import needs
from trigger_worker.rules.evaluate.selector import compile_condition
from trigger_worker.rules.evaluate.trace import trace
from trigger_worker.rules.files.audiences import names_of, references
from trigger_worker.rules.files.expressions import expression_cost
from trigger_worker.rules.language.arguments import FieldOf, arguments_of
from trigger_worker.rules.language.build_call import FUNCTIONS, build_call
from trigger_worker.rules.language.check import check_expression, check_pattern
from trigger_worker.rules.language.lookback import term_lookback_ms
from trigger_worker.rules.language.parse import parse_expression, parse_pattern
from trigger_worker.rules.language.render import render, render_pattern
from trigger_worker.rules.language.syntax import (
    Absence,
    Aggregate,
    And,
    Arithmetic,
    Audience,
    Boolean,
    Call,
    Comparison,
    Count,
    Duration,
    EventTerm,
    Expression,
    ExpressionNode,
    Extreme,
    FirstOrLast,
    Glob,
    Membership,
    MessageFact,
    Name,
    Negative,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    Selection,
    Since,
    Step,
    Text,
    ValueType,
    children,
)
from trigger_worker.rules.model import Rule, with_version
from trigger_worker.store.goal_sql import ConditionSql, Kind
from warehouse.errors import RuleError

AUDIENCES = audiences("segments: {keen: 'count(search, 1h) > 0'}\nscores: {heat: 'count(search, 1h)'}")

FIELDS: dict[str, Any] = {"device": "mobile", "country": "DE", "price": 5, "traits": {"vip": True, "age": 41}}
EVENTS = [
    event("identify", "-1h", **FIELDS),
    event("view_item", "-2m", price=5),
    event("view_item", "-1m", price=7),
    event("search", "-3s"),
]


class Example(msgspec.Struct, frozen=True):
    """A text whose outermost node is the one to walk.

    Args:
        text: in its canonical spelling.
        value_type: what the checker makes of it.
        value: what it comes to over EVENTS at NOON, and in a condition on FIELDS.
        parts: the canonical texts of its children.
        in_condition: whether it may stand in a condition on one event.
        is_sending: whether it may only stand in `send`.
        lookback: how far back it looks, by event.
        fields: which fields of events it looks at.
        contexts: which surroundings it looks at.
        refers_to: which audiences it names.
        too_far: the same node, looking back further than `any` may; empty where it cannot.
    """

    text: str
    value_type: ValueType
    value: Value
    parts: tuple[str, ...] = ()
    in_condition: bool = False
    is_sending: bool = False
    lookback: dict[str, str] = {}
    fields: frozenset[str] = frozenset()
    contexts: frozenset[str] = frozenset()
    refers_to: tuple[str, ...] = ()
    too_far: str = ""


def operator(text: str, *parts: str, value: Value, reads: str = "") -> Example:
    """An operator on traits, or on the context that it `reads`."""
    is_of_traits = "traits." in text
    return Example(
        text,
        "boolean" if isinstance(value, bool) else "number",
        value,
        parts,
        in_condition=True,
        lookback={"identify": "400d"} if is_of_traits else {},
        fields=frozenset({"traits", "traits_once"} if is_of_traits else ()),
        contexts=frozenset({reads} if reads else ()),
    )


def views(text: str, value: Value, value_type: ValueType = "number", back: str = "1d", too_far: str = "") -> Example:
    """A term over the price of events."""
    fields = frozenset({"price"}) if "price" in text else frozenset[str]()
    return Example(text, value_type, value, lookback={"view_item": back}, fields=fields, too_far=too_far)


def fact(text: str) -> Example:
    """A fact about a message, true at NOON."""
    return Example(text, "boolean", value=True, is_sending=True)


EXAMPLES: dict[type[Node], tuple[Example, ...]] = {
    Number: (Example("3", "number", 3.0, in_condition=True),),
    Text: (Example('"boot"', "text", "boot", in_condition=True),),
    Boolean: (Example("true", "boolean", value=True, in_condition=True),),
    Duration: (Example("3s", "duration", 3000.0, in_condition=True),),
    Name: (
        Example("device", "text", "mobile", in_condition=True, contexts=frozenset({"device"})),
        Example("local_hour", "number", 12.0, contexts=frozenset({"timezone"})),
    ),
    Not: (operator("not traits.vip", "traits.vip", value=False),),
    And: (operator("traits.vip and traits.age > 40", "traits.vip", "traits.age > 40", value=True),),
    Or: (operator("traits.vip or traits.age > 50", "traits.vip", "traits.age > 50", value=True),),
    Comparison: (operator("traits.age > 40", "traits.age", "40", value=True),),
    Membership: (operator('country in ["DE", "AT"]', "country", reads="country", value=True),),
    Glob: (operator('country ~ "D*"', "country", reads="country", value=True),),
    Arithmetic: (operator("traits.age + 1", "traits.age", "1", value=42.0),),
    Negative: (operator("-3", "3", value=-3.0),),
    Extreme: (
        operator("min(traits.age, 1)", "traits.age", "1", value=1.0),
        operator("max(traits.age, 1)", "traits.age", "1", value=41.0),
    ),
    Count: (views("count(view_item[price > 6], 1d)", 1.0, too_far="count(any, 91d)"),),
    Aggregate: (
        views("sum(view_item.price, 1d)", 12.0, too_far="sum(any.price, 91d)"),
        views("avg(view_item.price, 1d)", 6.0, too_far="avg(any.price, 91d)"),
        views("min(view_item.price, 1d)", 5.0, too_far="min(any.price, 91d)"),
        views("max(view_item.price, 1d)", 7.0, too_far="max(any.price, 91d)"),
        views("uniq(view_item.price, 1d)", 2.0, too_far="uniq(any.price, 91d)"),
    ),
    FirstOrLast: (
        views("first(view_item.price)", 5.0, back="30d"),
        views("last(view_item.price)", 7.0, back="30d"),
    ),
    Since: (views("since(view_item)", 60_000.0, "duration", back="400d", too_far="since(any)"),),
    Audience: (
        Example('segment("keen")', "boolean", value=True, lookback={"search": "1h"}, refers_to=('segment "keen"',)),
        Example('score("heat")', "number", 1.0, lookback={"search": "1h"}, refers_to=('score "heat"',)),
    ),
    MessageFact: tuple(fact(f"{name}(email)") for name in ("delivered", "shown", "opened", "clicked")),
}

#: The nodes that have no value, each by a pattern that it is part of.
PATTERNS: dict[type[Node], str] = {
    Pattern: "view_item -> search",
    Step: "view_item -> search within 2m",
    Absence: "view_item -> no purchase within 1m",
    Selection: "(search or view_item)[price > 6]",
}
#: The nodes that are only an argument, each by a call over EVENTS, and its value at NOON.
ARGUMENTS: dict[type[Node], tuple[str, Value]] = {FieldOf: ("sum((search or view_item)[price > 6].price, 1d)", 7.0)}

RULE = Rule("r", "", "r.yaml", parse_pattern("a"))
FACTS = {example.text: True for example in EXAMPLES[MessageFact]}
MOMENT = Moment(History(EVENTS), NOON, FACTS)
VALUE_TYPES: tuple[ValueType, ...] = ("text", "number", "boolean", "duration")
KINDS: dict[ValueType, Kind] = {"text": "text", "number": "number", "boolean": "boolean", "duration": "number"}


def is_rendered(node: Expression, example: Example) -> None:
    assert render(node) == example.text
    assert type(parse_expression(render(node))) is type(node)


def is_checked(node: Expression, example: Example) -> None:
    def findings(wanted: ValueType, *, is_sending: bool) -> list[object]:
        return [*check_expression(node, wanted, names_of(AUDIENCES), is_sending=is_sending)]

    assert findings(example.value_type, is_sending=True) == []
    assert bool(findings(example.value_type, is_sending=False)) is example.is_sending
    for other in VALUE_TYPES:
        assert other == example.value_type or findings(other, is_sending=True), f"it passes as {other}, too"


def is_checked_in_conditions(node: Expression, example: Example) -> None:
    condition = node if example.value_type == "boolean" else Comparison(0, "==", node, node)
    found = check_pattern(Pattern(0, (Step(0, Selection(0, ("search",), condition)),)))
    assert (found == []) is example.in_condition


def has_its_children(node: Expression, example: Example) -> None:
    assert tuple(map(render, children(node))) == example.parts


def has_its_arguments(node: Expression, example: Example) -> None:
    if isinstance(node, Call):
        assert type(build_call(node.function, 0, arguments_of(node))) is type(node), example.text


def has_its_lookback(node: Expression, example: Example) -> None:
    if isinstance(node, EventTerm):
        assert {term_lookback_ms(node)} == {ms(back) for back in example.lookback.values()}


def has_its_references(node: Expression, example: Example) -> None:
    assert tuple(f'{kind} "{name}"' for kind, name, _ in references(node)) == example.refers_to


def has_its_needs(node: Expression, example: Example) -> None:
    found = needs(msgspec.structs.replace(RULE, condition=node), AUDIENCES)
    assert found.lookback_ms == {"a": 0} | {name: ms(back) for name, back in example.lookback.items()}
    assert found.fields == example.fields
    assert found.contexts == example.contexts


def has_its_cost(node: Expression, example: Example) -> None:
    assert expression_cost(node) == []
    if example.too_far:
        dear = parse_expression(example.too_far)
        assert type(dear) is type(node)
        assert expression_cost(dear) != []


def is_compiled(node: Expression, example: Example) -> None:
    assert ExpressionCompiler(AUDIENCES).compile(node)(MOMENT) == example.value


def is_compiled_in_conditions(node: Expression, example: Example) -> None:
    if example.in_condition:
        assert compile_condition(node)(FIELDS) == example.value
    elif not isinstance(node, Name):
        assert type(node).__name__ in failure(partial(compile_condition, node))


def is_written_as_sql(node: Expression, example: Example) -> None:
    """Only conditions on one event become SQL: those of goals."""
    if example.in_condition:
        assert ConditionSql("p").value(node, KINDS[example.value_type]) != "NULL"


def is_explained(node: Expression, example: Example) -> None:
    explanation = ExpressionCompiler(AUDIENCES).explain(node, MOMENT)
    assert (explanation.text, explanation.value) == (example.text, example.value)
    parts = tuple(part.text for part in explanation.children)
    assert parts == example.parts or (isinstance(node, Audience) and len(parts) == 1)
    told = explain_term(node, explanation, AUDIENCES)
    assert (told.text, told.unit) == (example.text, "ms" if example.value_type == "duration" else "")


def changes_the_version(node: Expression, example: Example) -> None:
    def version(condition: Expression | None) -> str:
        return with_version(msgspec.structs.replace(RULE, condition=condition)).version

    assert version(node) not in {version(None), version(Boolean(0, value=False))}
    assert version(node) == version(parse_expression(f" {example.text}"))


PLACES: tuple[Callable[[Expression, Example], None], ...] = (
    is_rendered,
    is_checked,
    is_checked_in_conditions,
    has_its_children,
    has_its_arguments,
    has_its_lookback,
    has_its_references,
    has_its_needs,
    has_its_cost,
    is_compiled,
    is_compiled_in_conditions,
    is_written_as_sql,
    is_explained,
    changes_the_version,
)


def all_examples() -> Iterator[Example]:
    for examples in EXAMPLES.values():
        yield from examples


def leaves(node: type[Node]) -> Iterator[type[Node]]:
    below = node.__subclasses__()
    for each in below:
        yield from leaves(each)
    if not below:
        yield node


#: What a place that forgot a node may raise.
FORGOTTEN: Final = (
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    RuleError,
)


def failure(act: Callable[[], object]) -> str:
    """What an act raises, in one line; empty when it raises nothing."""
    try:
        act()
    except FORGOTTEN as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def offenders(acts: Iterable[tuple[str, Callable[[], object]]]) -> list[str]:
    return [f"{name}: {told}" for name, act in acts if (told := failure(act))]


def expect_none(told: Iterable[str]) -> None:
    lines = list(told)
    assert lines == [], "\n".join(["", *lines])


def test_every_node_has_an_example() -> None:
    known = EXAMPLES.keys() | PATTERNS.keys() | ARGUMENTS.keys()
    expect_none(f"no example for node class {node.__name__}" for node in leaves(Node) if node not in known)


def test_every_function_has_an_example() -> None:
    called = {example.text.partition("(")[0] for example in all_examples()}
    expect_none(f"no example for function {name}" for name in FUNCTIONS if name not in called)


def test_every_function_is_described_in_the_docs() -> None:
    described = set(re.findall(r"\w+", Path("docs/rules.md").read_text(encoding="utf-8")))
    expect_none(f"docs/rules.md does not describe {name}" for name in FUNCTIONS if name not in described)


def test_every_node_with_a_value_is_an_expression() -> None:
    known = get_args(Expression)
    expect_none(f"{node.__name__} is not in Expression" for node in leaves(ExpressionNode) if node not in known)


def test_every_example_is_of_its_node() -> None:
    walked = [
        (f"parse, {node.__name__}", partial(is_parsed_as, node, example.text))
        for node, examples in EXAMPLES.items()
        for example in examples
    ]
    expect_none(offenders(walked))


def is_parsed_as(node: type[Node], text: str) -> None:
    found = type(parse_expression(text)).__name__
    assert found == node.__name__, f"{text} is parsed as {found}"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_every_place_handles_every_node(place: Callable[[Expression, Example], None]) -> None:
    walked = [
        (f"{place.__name__}, {node.__name__}, {example.text}", partial(is_handled, place, example))
        for node, examples in EXAMPLES.items()
        for example in examples
    ]
    expect_none(offenders(walked))


def is_handled(place: Callable[[Expression, Example], None], example: Example) -> None:
    place(parse_expression(example.text), example)


def test_every_part_of_a_pattern_is_rendered_checked_needed_matched_and_traced() -> None:
    walked = [(node.__name__, partial(is_matched, node, text)) for node, text in PATTERNS.items()]
    expect_none(offenders(walked))


def is_matched(node: type[Node], text: str) -> None:
    pattern = parse_pattern(text)
    assert any(isinstance(part, node) for part in parts_of(pattern))
    assert render_pattern(pattern) == text
    assert check_pattern(pattern) == []
    compiled = compile_rule(msgspec.structs.replace(RULE, when=pattern), AUDIENCES)
    assert "view_item" in compiled.needs.lookback_ms
    assert compiled.matches(History(EVENTS), NOON - ms("1h"), NOON + ms("1h")) != []
    assert trace(pattern, None, History(EVENTS)).match_at is not None


def test_every_argument_is_rendered_and_compiled() -> None:
    walked = [(node.__name__, partial(is_argument, node, *told)) for node, told in ARGUMENTS.items()]
    expect_none(offenders(walked))


def is_argument(node: type[Node], text: str, value: Value) -> None:
    call = parse_expression(text)
    assert isinstance(call, Call)
    assert any(isinstance(argument, node) for argument in arguments_of(call))
    assert render(call) == text
    assert ExpressionCompiler(AUDIENCES).compile(call)(MOMENT) == value


def parts_of(node: object) -> Iterator[object]:
    """A node and all that is in it."""
    yield node
    inside = node if isinstance(node, tuple) else msgspec.structs.astuple(node) if isinstance(node, Node) else ()
    for part in inside:
        yield from parts_of(part)
