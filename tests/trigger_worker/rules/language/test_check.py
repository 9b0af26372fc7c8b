"""What the checker says about texts that parse."""

from __future__ import annotations

import pytest

from trigger_worker.rules.language.check import AudienceNames, check_expression, check_goal, check_pattern
from trigger_worker.rules.language.errors import Finding
from trigger_worker.rules.language.parse import parse_expression, parse_goal, parse_pattern
from trigger_worker.rules.language.syntax import ValueType

AUDIENCES = AudienceNames(frozenset({"high_intent"}), frozenset({"loyal", "new"}), frozenset({"heat"}))

GOOD_PATTERNS = [
    "view_item[price > 100 and category == 'x' and product_id in ['a']] -> add_to_cart within 2m",
    "dwell[duration >= 3m and duration_ms >= 180000 and depth_pct * 2 > 3]",
    "any[props.x == 3 and props.x == 'a' and props.y]",
    "identify[traits.plan == 'pro']",
    "purchase[value * quantity + 1 >= 100 / 2]",
    "search[search_term ~ 'boot*' and not results > 0]",
    "view_item[name > 'a']",
    "a_b[duration * 2 > 1s + 500ms]",
]

GOOD_EXPRESSIONS = [
    "count(view_item, 400d) >= 1 and uniq(view_item.product_id, 1d) > 1",
    "sum(purchase.value, 30d) / 2 - 1 > avg(purchase.price, 30d)",
    "sum(dwell.duration, 1h) > 3m and since(purchase) <= 1d",
    "since(purchase) / 1d > 3 and 2 * since(purchase) > 1d and since(purchase) / 2 > 1d",
    "last(view_item.category) == 'x' and first(view_item.price) > 3",
    "cart.value > 1 and cart.items > 1 and local_hour < 9 and local_weekday in [6, 7]",
    "device == 'mobile' and country in ['DE'] and traits.plan == 'pro' and traits.age > 3",
    "segment('high_intent') and score('heat') > 3 and stage == 'loyal' and stage in ['new']",
    "min(cart.value, 3) + max(1, -2) > 0",
    "true",
    "traits.vip",
    "traits.a + traits.b > 1 and traits.a * 2 > 1s",
    "true == traits.vip",
]

BAD_PATTERNS = [
    ("view_item[price > 'high']", 'expected a number to compare with price, found a text: "high"', 18),
    ("view_item['high' < price]", 'expected a text to compare with "high", found a number: price', 19),
    ("dwell[duration >= 3000]", "expected a duration to compare with duration, found a number: 3000", 18),
    ("dwell[duration_ms >= 3s]", "expected a number to compare with duration_ms, found a duration: 3s", 21),
    ("view_item[category == true]", "expected a text to compare with category, found true or false: true", 22),
    ("view_item[category]", "expected a condition that is true or false, found a text: category", 10),
    ("view_item[price and true]", "expected a condition that is true or false, found a number: price", 10),
    ("view_item[not price]", "expected a condition that is true or false, found a number: price", 14),
    ("view_item[price ~ '1*']", "expected a text before ~, found a number: price", 10),
    ("view_item[price in ['a']]", 'expected a number in this list, found a text: "a"', 20),
    ("view_item[props.x in [1, 'a']]", 'expected a number in this list, found a text: "a"', 25),
    ("view_item[category + 1 > 2]", "expected a number, found a text: category", 10),
    ("view_item[-category > 2]", "expected a number, found a text: category", 11),
    ("view_item[duration + 1 > 2s]", "a duration + a number has no meaning", 10),
    ("view_item[duration * duration > 2]", "a duration * a duration has no meaning", 10),
    ("view_item[1 / duration > 2]", "a number / a duration has no meaning", 10),
    ("view_item[min(duration, price) > 2]", "expected a number in min(a, b), found a duration: duration", 14),
    ("view_item[true < false]", "true and false have no order, so < cannot compare them", 10),
    (
        "view_item[count(search, 1d) > 1]",
        "count(search, 1d) looks at the visitor's history, a condition only at one event",
        10,
    ),
    ("view_item[cart.value > 1]", "cart.value is not a field of an event", 10),
    ("view_item[stage == 'loyal']", "stage is not a field of an event", 10),
    ("view_item[size.eu > 1]", "expected a field, found size.eu", 10),
    ("view_item[props]", "expected a field, found props", 10),
    ("view_item -> search within 0s", "expected a window of more than 0 and at most 400d, found 0s", 27),
    ("view_item -> no search within 401d", "expected a window of more than 0 and at most 400d, found 401d", 30),
]

BAD_EXPRESSIONS = [
    ("count(view_item, 1d)", "expected a condition that is true or false, found a number: count(view_item, 1d)", 0),
    ("count(view_item, 401d) > 1", "expected a window of more than 0 and at most 400d, found 401d", 17),
    ("count(view_item, 0s) > 1", "expected a window of more than 0 and at most 400d, found 0s", 17),
    ("count(view_item[price > 'a'], 1d) > 1", 'expected a number to compare with price, found a text: "a"', 24),
    ("since(purchase) > 3", "expected a duration to compare with since(purchase), found a number: 3", 18),
    ("device > 3", "expected a text to compare with device, found a number: 3", 9),
    ("sum(view_item.category, 1d) > 1", "expected a number field in sum(), found a text: category", 14),
    ("price > 100", "price is a field of events, not of the visitor", 0),
    ("duration > 3s", "duration is a field of events, not of the visitor", 0),
    ("purchase", "purchase is an event, not a value", 0),
    ("cart.total > 3", "nothing is known of a visitor by the name cart.total", 0),
    ("segment('hi_intent')", 'there is no segment "hi_intent"', 0),
    ("score('x') > 1", 'there is no score "x"', 0),
    ("stage == 'loyl'", 'there is no stage "loyl"', 9),
    ("stage in ['new', 'old']", 'there is no stage "old"', 17),
    ("opened(email)", "opened(email) is known only once messages are sent", 0),
    ("goal_reached", "goal_reached is known only once messages are sent", 0),
]

WARNINGS = [
    ("view_itm", "the vocabulary has no event view_itm", "did you mean view_item?"),
    ("spun_the_wheel", "the vocabulary has no event spun_the_wheel", "it is taken as an event of your own"),
    ("view_item[pricee > 1]", "the vocabulary has no field pricee", "did you mean price?"),
    (
        "view_item[zzz == 1]",
        "the vocabulary has no field zzz",
        "props.zzz says that it is a property of your own",
    ),
    (
        "view_item within 5m",
        "`within` on the first step has no effect: there is no step before it",
        "put it on the step that must follow in time",
    ),
]


def errors(findings: list[Finding]) -> list[tuple[str, int]]:
    return [(finding.message, finding.start) for finding in findings if finding.severity == "error"]


@pytest.mark.parametrize("text", GOOD_PATTERNS)
def test_a_good_pattern_has_no_errors(text: str) -> None:
    assert errors(check_pattern(parse_pattern(text))) == []


@pytest.mark.parametrize("text", GOOD_EXPRESSIONS)
def test_a_good_expression_has_nothing_to_say_about_it(text: str) -> None:
    assert check_expression(parse_expression(text), "boolean", AUDIENCES) == []


@pytest.mark.parametrize(("text", "message", "start"), BAD_PATTERNS)
def test_a_pattern_that_means_nothing_is_refused_at_its_place(text: str, message: str, start: int) -> None:
    assert errors(check_pattern(parse_pattern(text))) == [(message, start)]


@pytest.mark.parametrize(("text", "message", "start"), BAD_EXPRESSIONS)
def test_an_expression_that_means_nothing_is_refused_at_its_place(text: str, message: str, start: int) -> None:
    assert errors(check_expression(parse_expression(text), "boolean", AUDIENCES)) == [(message, start)]


@pytest.mark.parametrize(("text", "message", "hint"), WARNINGS)
def test_an_unknown_name_is_a_warning_with_the_nearest_known_one(text: str, message: str, hint: str) -> None:
    (finding,) = check_pattern(parse_pattern(text))
    assert (finding.message, finding.hint, finding.severity) == (message, hint, "warning")


def test_a_misspelt_term_is_refused_with_the_nearest_known_one() -> None:
    findings = check_expression(parse_expression("contry == 'DE'"), "boolean", AUDIENCES)
    assert findings == [Finding("nothing is known of a visitor by the name contry", 0, "did you mean country?")]


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [("3 + 1", "number", []), ("stage", "number", [("expected a number, found a text: stage", 0)])],
)
def test_a_score_is_a_number(text: str, wanted: ValueType, expected: list[tuple[str, int]]) -> None:
    assert errors(check_expression(parse_expression(text), wanted, AUDIENCES)) == expected


def test_stages_are_named_only_when_there_are_any() -> None:
    findings = check_expression(parse_expression("stage == 'loyal'"), "boolean", AudienceNames())
    assert errors(findings) == [("there are no stages", 0)]


def test_sending_knows_what_became_of_messages() -> None:
    good = parse_expression("opened(email) or clicked(banner) or shown(push) or delivered(sms) or goal_reached")
    assert check_expression(good, "boolean", AUDIENCES, is_sending=True) == []
    bad = check_expression(parse_expression("opened(mail)"), "boolean", AUDIENCES, is_sending=True)
    assert bad == [Finding("there is no channel mail", 0, "did you mean email?")]


def test_a_goal_is_checked_like_a_step() -> None:
    assert check_goal(parse_goal("purchase within 3d")) == []
    findings = check_goal(parse_goal("purchase[value > 'a'] within 500d"))
    assert errors(findings) == [
        ('expected a number to compare with value, found a text: "a"', 17),
        ("expected a window of more than 0 and at most 400d, found 500d", 29),
    ]
