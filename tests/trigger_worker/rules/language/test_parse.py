"""What the grammar takes, and what it says about what it does not take."""

from __future__ import annotations

import pytest

from trigger_worker.rules.language.errors import RuleSyntaxError
from trigger_worker.rules.language.parse import (
    DEEPEST_NESTING,
    LONGEST_TEXT,
    parse_expression,
    parse_goal,
    parse_pattern,
)
from trigger_worker.rules.language.render import render, render_pattern, render_step
from trigger_worker.rules.language.syntax import Aggregate, Extreme

PATTERNS = [
    ("view_item", "view_item"),
    (" view_item ", "view_item"),
    ("(b or a)", "(a or b)"),
    ("(a)", "a"),
    ("any", "any"),
    ("no_thing -> anything", "no_thing -> anything"),
    ("a[price>100]within 2m", "a[price > 100] within 2m"),
    ("a -> b within 120s -> no (c or d)[x == 1] within 24h", "a -> b within 2m -> no (c or d)[x == 1] within 1d"),
    ("any\n -> no any within 14d", "any -> no any within 2w"),
    ("'Coupon Applied' -> no purchase within 1h", '"Coupon Applied" -> no purchase within 1h'),
    ('("Coupon Applied" or view_item)[x]', '("Coupon Applied" or view_item)[x]'),
    ('" plain_name "', "plain_name"),
    ('"within"', '"within"'),
    (r'"a \"b\""', r'"a \"b\""'),
    # Names of commerce are stored as ours, and so are read as ours.
    ("product_added -> no 'Order Completed' within 1h", "add_to_cart -> no purchase within 1h"),
]

EXPRESSIONS = [
    ('cart.value >= 50 and device == "mobile"', 'cart.value >= 50 and device == "mobile"'),
    ("a or b and not c", "a or b and not c"),
    ("(a or b) and c", "(a or b) and c"),
    ("not (a or b)", "not (a or b)"),
    ("not a == 1", "not a == 1"),
    ("((a))", "a"),
    ("1 - (2 - 3) - 4", "1 - (2 - 3) - 4"),
    ("(1 + 2) * -3 / (4 * 5)", "(1 + 2) * -3 / (4 * 5)"),
    ("-(1 + 2)", "-(1 + 2)"),
    ("1.50 < 2.0", "1.5 < 2"),
    ("0.1 < 100000000000000000000000", "0.1 < 100000000000000000000000"),
    ("country in ['US',\"CA\"]", 'country in ["US", "CA"]'),
    ("x in [1, -2, true, 3s]", "x in [1, -2, true, 3s]"),
    (r'"a\"b\\c" == x', r'"a\"b\\c" == x'),
    ('path ~ "/pricing*"', 'path ~ "/pricing*"'),
    ("count(any, 1d) > 1", "count(any, 1d) > 1"),
    ("count((b or a)[x], 60m) > 1", "count((a or b)[x], 1h) > 1"),
    ("sum((a or b)[x].props.y.z, 1h)", "sum((a or b)[x].props.y.z, 1h)"),
    ("min(1, max(2, 3))", "min(1, max(2, 3))"),
    ("last(a.b) == first(c.d)", "last(a.b) == first(c.d)"),
    ("since(purchase[value > 3]) > 90d", "since(purchase[value > 3]) > 90d"),
    ('segment("x") and score("y") > 1', 'segment("x") and score("y") > 1'),
    ("opened(email) or goal_reached", "opened(email) or goal_reached"),
    ('count("Coupon Applied", 1d) > 0', 'count("Coupon Applied", 1d) > 0'),
    ('sum("Quiz Done"[x > 1].score, 1d) > 9', 'sum("Quiz Done"[x > 1].score, 1d) > 9'),
    ('last("Quiz Done".score) == since("Quiz Done")', 'last("Quiz Done".score) == since("Quiz Done")'),
    ('count((a or "Product Viewed"), 1d) > 1', "count((a or view_item), 1d) > 1"),
    ("last(ProductAdded.price) > 1", "last(add_to_cart.price) > 1"),
]

BROKEN_PATTERNS = [
    ("", "1:1: expected an event such as view_item, found the end"),
    ("->", '1:1: expected an event such as view_item, found "->"'),
    ('"any"', "1:1: no event is named 'any'\n  remedy: write any, without quotes, for every event"),
    ('a -> " "', "1:6: no event is named ' '\n  remedy: write any, without quotes, for every event"),
    ("ä", '1:1: expected an event such as view_item, found "ä"'),
    ("5m", '1:1: expected an event such as view_item, found "5m"'),
    ("a b", '1:3: expected within, -> or the end, found "b"'),
    ("a[x]b", '1:5: expected within, -> or the end, found "b"'),
    ("a & b", '1:3: expected within, -> or the end, found "&"\n  remedy: write and'),
    ("a ->", "1:5: expected an event such as view_item or no, found the end"),
    ("a\n->", "2:3: expected an event such as view_item or no, found the end"),
    ("(a or", "1:6: expected an event such as view_item, found the end"),
    ("(a, b)", '1:3: expected or or ), found ","'),
    ("a within soon", '1:10: expected a duration such as 15m, found "soon"'),
    ("a within 15min", '1:10: expected a duration such as 15m, found "15min"'),
    ("a within", "1:9: expected a duration such as 15m, found the end"),
    ("a -> no b", "1:10: expected within, found the end"),
    (
        "a -> no b within 1h -> c",
        '1:21: expected the end, found "->"\n  remedy: an absence (`no ... within ...`) is always the last part',
    ),
    (
        "no b within 1h",
        (
            '1:1: expected an event such as view_item, found "no"\n'
            "  remedy: an absence (`no ... within ...`) follows a step, after ->"
        ),
    ),
    ("a[price = 3]", '1:9: expected ], found "="\n  remedy: write == to compare'),
    ("a[price >]", '1:10: expected a value, found "]"'),
    ("a[price > 3", "1:12: expected ], found the end"),
    ('a[x == "b]', "1:8: this text in quotes does not end"),
]

BROKEN_EXPRESSIONS = [
    ("", "1:1: expected a value, found the end"),
    ("a = b", '1:3: expected an operator or the end, found "="\n  remedy: write == to compare'),
    ("a && b", '1:3: expected an operator or the end, found "&&"\n  remedy: write and'),
    ("a || b", '1:3: expected an operator or the end, found "||"\n  remedy: write or'),
    ("!a", '1:1: expected a value, found "!"\n  remedy: write not'),
    (
        'country not in ["a"]',
        (
            '1:9: expected an operator or the end, found "not"\n'
            "  remedy: `not` stands before a whole comparison, as in not country in [...]"
        ),
    ),
    ("1 < x < 3", '1:7: expected and, or or the end, found "<"'),
    ("a == 1 b", '1:8: expected and, or or the end, found "b"'),
    ("x in", '1:5: expected a list such as ["US", "CA"], found the end'),
    ("x in y", '1:6: expected a list such as ["US", "CA"], found "y"'),
    ("x in []", '1:7: expected a text in quotes or a number, found "]"'),
    ("x in [y]", '1:7: expected a text in quotes or a number, found "y"'),
    ('x in ["a" "b"]', '1:11: expected a comma or ], found "b"'),
    ("path ~ /x/", '1:8: expected a text in quotes such as "/pricing*", found "/"'),
    ("3 +", "1:4: expected a value, found the end"),
    ("(3", "1:3: expected ), found the end"),
    ("x.", "1:3: expected a name, found the end"),
    ("15min > 3", '1:1: expected a value, found "15min"'),
    ("9" * 400, "1:1: this number is too large"),
    ("cout(a, 3d)", "1:1: there is no function cout\n  remedy: did you mean count?"),
    ("count(a)", "1:1: count takes 2 arguments, found 1\n  remedy: write it as in count(view_item, 24h)"),
    ("since()", "1:1: since takes 1 argument, found 0\n  remedy: write it as in since(purchase)"),
    ("count(a, b)", '1:10: expected a window such as 24h, found "b"'),
    ("count(a 3d)", '1:9: expected an operator, a comma or ), found "3d"'),
    ("count(3, 3d)", '1:7: expected an event such as view_item, found "3"'),
    ("count(a.b, 3d)", '1:7: expected an event such as view_item, found "a.b"'),
    ("count((a or 3), 3d)", '1:13: expected an event such as view_item, found "3"'),
    (
        "count((a or any), 3d)",
        "1:13: expected a value, found any\n  remedy: `any` stands for events, as in count(any, 24h)",
    ),
    (
        "count(a[b][c], 3d)",
        (
            "1:12: these events have a condition already\n"
            "  remedy: join both conditions with `and` inside one pair of brackets"
        ),
    ),
    ("sum(a, 3d)", '1:5: expected an event and its field, such as purchase.value, found "a"'),
    ("last(a).x > 3", '1:6: expected an event and its field, such as purchase.value, found "a"'),
    ("segment(x)", '1:9: expected the name of a segment in quotes, such as segment("name"), found "x"'),
    ('opened("email")', '1:8: expected a channel, as in opened(email), found "email"'),
    ("any == 3", "1:1: expected a value, found any\n  remedy: `any` stands for events, as in count(any, 24h)"),
    (
        "view_item[price > 3]",
        "1:1: expected a value, found events\n  remedy: count them, as in count(EVENT[...], 24h) > 0",
    ),
    (
        "(a or b).c == 3",
        "1:2: expected a value, found a field of many events\n  remedy: say which one, as in last(... .c)",
    ),
]


@pytest.mark.parametrize(("text", "canonical"), PATTERNS)
def test_a_pattern_is_read_and_written_canonically(text: str, canonical: str) -> None:
    assert render_pattern(parse_pattern(text)) == canonical
    assert render_pattern(parse_pattern(canonical)) == canonical


@pytest.mark.parametrize(("text", "canonical"), EXPRESSIONS)
def test_an_expression_is_read_and_written_canonically(text: str, canonical: str) -> None:
    assert render(parse_expression(text)) == canonical
    assert render(parse_expression(canonical)) == canonical


def test_a_goal_is_one_step() -> None:
    assert render_step(parse_goal("purchase[value > 5] within 3d")) == "purchase[value > 5] within 3d"
    with pytest.raises(RuleSyntaxError, match=r'1:10: expected the end, found "->"$'):
        parse_goal("purchase -> refund")


def test_a_window_tells_an_aggregate_from_the_smaller_of_two_numbers() -> None:
    assert isinstance(parse_expression("min(purchase.value, 30d)"), Aggregate)
    assert isinstance(parse_expression("min(cart.value, 30)"), Extreme)


@pytest.mark.parametrize(("text", "message"), BROKEN_PATTERNS)
def test_a_broken_pattern_says_where_and_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(RuleSyntaxError) as raised:
        parse_pattern(text)
    assert str(raised.value) == message


@pytest.mark.parametrize(("text", "message"), BROKEN_EXPRESSIONS)
def test_a_broken_expression_says_where_and_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(RuleSyntaxError) as raised:
        parse_expression(text)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "not " * DEEPEST_NESTING + "a",
        "-" * DEEPEST_NESTING + "a",
        "1" + " + 1" * DEEPEST_NESTING + " > 0",
        "count(a[" + "not " * DEEPEST_NESTING + "b], 1d) > 0",
    ],
)
def test_trees_too_deep_to_walk_are_refused(text: str) -> None:
    with pytest.raises(RuleSyntaxError, match="expected at most 100 parts inside each other"):
        parse_expression(text)
    with pytest.raises(RuleSyntaxError, match="expected at most 100 parts inside each other"):
        parse_pattern(f"a[{text}]")


def test_texts_too_long_are_refused() -> None:
    with pytest.raises(RuleSyntaxError, match="expected at most 8000 characters, found 8001"):
        parse_pattern("a" * (LONGEST_TEXT + 1))
