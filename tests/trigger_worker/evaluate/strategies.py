"""Generated rules and histories, crowded onto few instants so that boundaries and ties are common."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.trigger_worker.evaluate.reference import (
    DAY,
    Calculation,
    Compare,
    Logic,
    Milliseconds,
    Plain,
    Record,
    Rule,
    Term,
    Which,
)

#: The distance between instants: in one scale windows of minutes meet, in the other those of 30 and 400 days.
UNITS = (30_000, 10 * DAY)

NAMES = ("view_item", "add_to_cart", "remove_from_cart", "purchase", "identify", "message_shown", "own_event")

durations_in_units = st.integers(1, 12)


def events(unit: int) -> st.SearchStrategy[list[Record]]:
    """Up to 14 events on 45 instants, some of them sent twice."""
    return st.lists(event(unit), max_size=14).flatmap(
        lambda made: (
            st.lists(st.sampled_from(made), max_size=2).map(lambda again: made + again) if made else st.just(made)
        )
    )


def event(unit: int) -> st.SearchStrategy[Record]:
    return st.fixed_dictionaries(
        {
            "name": st.sampled_from(NAMES),
            "ts": st.integers(0, 44).map(lambda step: step * unit),
            "id": st.text("0123456789abcdef", min_size=3, max_size=3),
            "fields": fields,
        }
    )


items = st.lists(st.fixed_dictionaries({}, optional={"product_id": st.sampled_from(["a", "b", "c"])}), max_size=2)

fields: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "price": st.sampled_from([5, 10, 20, 20.5, "10", True]),
        "value": st.sampled_from([5, 10, 20]),
        "quantity": st.sampled_from([1, 2, "2"]),
        "product_id": st.sampled_from(["a", "b", ""]),
        "path": st.sampled_from(["/pricing", "/pricing/plans", "/p/1"]),
        "device": st.sampled_from(["mobile", "desktop"]),
        "duration_ms": st.sampled_from([1000, 3000, 5000]),
        "colour": st.sampled_from(["red", 5, True, False]),
        "items": items,
        "traits": st.fixed_dictionaries({}, optional={"plan": st.sampled_from(["free", "pro", 3])}),
    },
)

COMPARE = ("==", "!=", "<", "<=", ">", ">=")

simple_conditions = st.one_of(
    st.builds(Compare, st.just("price"), st.sampled_from(COMPARE), st.sampled_from([5, 10, 20])),
    st.builds(Compare, st.just("product_id"), st.sampled_from(["==", "!="]), st.sampled_from(["a", "b"])),
    st.builds(Compare, st.just("path"), st.just("~"), st.sampled_from(["/pricing*", "/p/?", "*ing*"])),
    st.builds(Compare, st.just("duration"), st.sampled_from(COMPARE), st.just(Milliseconds(3000))),
    st.builds(Compare, st.just("device"), st.just("in"), st.just(("mobile", "tablet"))),
    st.builds(Compare, st.just("props.colour"), st.just("=="), st.sampled_from(["red", 5, True])),
    st.builds(Compare, st.just("colour"), st.just("!="), st.sampled_from(["red", 5, True])),
)


def logic(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.builds(Logic, st.just("not"), st.tuples(parts)),
        st.builds(Logic, st.sampled_from(["and", "or"]), st.tuples(parts, parts)),
    )


conditions = st.recursive(simple_conditions, logic, max_leaves=4)

names = st.one_of(st.just(("any",)), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple))

selections = st.builds(Which, names, st.one_of(st.none(), conditions))


def spans(unit: int) -> st.SearchStrategy[int]:
    """Durations that meet the distances of events exactly, within what the language allows."""
    return durations_in_units.map(lambda count: count * unit)


def numbers(unit: int) -> st.SearchStrategy[Any]:
    aggregates = ["sum", "avg", "min", "max", "uniq"]
    terms = st.one_of(
        st.builds(Term, st.just("count"), selections, st.just(""), spans(unit)),
        st.builds(Term, st.sampled_from(aggregates), selections, st.just("price"), spans(unit)),
        st.builds(Term, st.just("uniq"), selections, st.just("product_id"), spans(unit)),
        st.builds(Term, st.sampled_from(["first", "last"]), selections, st.just("price")),
        st.builds(Plain, st.sampled_from(["cart.value", "cart.items"])),
        st.sampled_from([0, 1, 2, 10]),
    )
    operators = ["+", "-", "*", "/", "min", "max"]
    return st.recursive(
        terms, lambda part: st.builds(Calculation, st.sampled_from(operators), part, part), max_leaves=3
    )


def values(unit: int) -> st.SearchStrategy[Any]:
    """Terms of every type."""
    return st.one_of(
        numbers(unit),
        st.builds(Term, st.just("since"), selections),
        st.builds(Term, st.sampled_from(["first", "last"]), selections, st.just("product_id")),
        st.builds(Plain, st.sampled_from(["device", "traits.plan"])),
    )


def expressions(unit: int) -> st.SearchStrategy[Any]:
    simple = st.one_of(
        st.builds(Compare, numbers(unit), st.sampled_from(COMPARE), st.sampled_from([0, 1, 2, 10, 20])),
        st.builds(
            Compare,
            st.builds(Term, st.just("since"), selections),
            st.sampled_from(COMPARE),
            spans(unit).map(Milliseconds),
        ),
        st.builds(Compare, st.just(Plain("device")), st.sampled_from(["==", "!="]), st.just("mobile")),
        st.builds(Compare, st.just(Plain("traits.plan")), st.just("in"), st.just(("pro", "team"))),
    )
    return st.recursive(simple, logic, max_leaves=3)


def rules(unit: int) -> st.SearchStrategy[Rule]:
    within = st.one_of(st.just(0), spans(unit))
    return st.builds(
        lambda first, rest, absence, condition, every, key: Rule(((first, 0), *rest), absence, condition, every, key),
        selections,
        st.lists(st.tuples(selections, within), max_size=2),
        st.one_of(st.none(), st.tuples(selections, spans(unit))),
        st.one_of(st.none(), expressions(unit)),
        st.one_of(st.just(0), spans(unit)),
        st.sampled_from(["", "", "product_id", "device"]),
    )
