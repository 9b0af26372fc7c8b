"""Rule files: what they become, and what their problems say."""

from __future__ import annotations

import pytest

from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.rules.language.duration import parse_duration
from trigger_worker.rules.language.render import render, render_pattern, render_step
from trigger_worker.rules.model import Experiment, QuietHours, Rule, SendEntry

FULL = """\
id: cart_abandoned
describe: A cart worth having, left for fifteen minutes.
when: add_to_cart -> no purchase within 15m
if: cart.value >= 50 and device == "mobile" and country in ["US", "CA"]
every: 12h                        # a comment
goal: purchase within 3d
send:
  - banner: cart_bar
  - email: cart_reminder
    after: 4h
    at: 10:00
    if: cart.value > 5
    tags: [discount, cart]
  - sms: cart_last_call
    after: 20h
    unless: opened(email) or clicked(email)
class: transactional
priority: 60
quiet: 21:00-09:30
ttl: 2h
experiment:
  holdout: 10%
  arms: {plain: 50, coupon: 1.5}
key: product_id
restart: true
paused: true
"""

AUDIENCES = AudienceNames(frozenset({"vip"}), frozenset({"loyal"}), frozenset({"heat"}))

NO_CONDITION = "expected a condition that is true or false, found a number:"
COMPARE = "(compare it, as in {0} == ...)"
CHANNELS = "(channels are banner, email, sms, push, webhook, chat)"
WRITE_LAST = "(write last(EVENT.price), or put the condition behind an event in `when`)"
UNIT = "(write a duration with its unit, such as 3s)"
THOMPSON = (
    "allocation: thompson needs arms, two at least, and a goal (it learns from a goal which of several arms does best)"
)
KEYS = (
    "(known keys are class, describe, every, experiment, goal, id, if, key, paused, priority, quiet, restart, send, "
    "ttl, when)"
)


def problems_of(text: str) -> list[str]:
    return [str(problem) for problem in read_rule(text, "r.yaml", AUDIENCES).problems]


def read(text: str) -> Rule:
    reading = read_rule(text, "r.yaml", AUDIENCES)
    assert reading.rule is not None, reading.problems
    return reading.rule


def test_every_key_is_read() -> None:
    rule = read(FULL)
    assert (rule.id, rule.path, rule.line) == ("cart_abandoned", "r.yaml", 1)
    assert rule.describe == "A cart worth having, left for fifteen minutes."
    assert render_pattern(rule.when) == "add_to_cart -> no purchase within 15m"
    assert rule.condition is not None
    assert render(rule.condition).startswith("cart.value >= 50 and device")
    assert rule.goal is not None
    assert render_step(rule.goal) == "purchase within 3d"
    assert (rule.every_ms, rule.ttl_ms) == (parse_duration("12h"), parse_duration("2h"))
    assert (rule.message_class, rule.priority, rule.restart) == ("transactional", 60, True)
    assert rule.quiet["email"] == QuietHours(21 * 60, 9 * 60 + 30)
    assert rule.experiment == Experiment(0.1, (("plain", 50.0), ("coupon", 1.5)))
    assert rule.key == ("product_id",)
    assert rule.paused


def test_every_message_is_read() -> None:
    banner, email, sms = read(FULL).send
    assert banner == SendEntry("banner", "cart_bar")
    assert (email.channel, email.template, email.after_ms) == ("email", "cart_reminder", parse_duration("4h"))
    assert (email.at_minute, email.tags, email.unless) == (600, ("discount", "cart"), None)
    assert email.condition is not None
    assert render(email.condition) == "cart.value > 5"
    assert sms.unless is not None
    assert render(sms.unless) == "opened(email) or clicked(email)"


def test_what_is_not_said_has_defaults() -> None:
    rule = read("id: r\nwhen: search\nsend: [{banner: b}]")
    assert (rule.every_ms, rule.ttl_ms) == (parse_duration("24h"), parse_duration("24h"))
    assert (rule.message_class, rule.priority, rule.restart) == ("marketing", 50, False)
    assert rule.condition is None
    assert rule.goal is None
    assert rule.quiet == {}
    assert rule.experiment is None
    assert rule.key is None


@pytest.mark.parametrize("text", ["every: 0", "every: 0s"])
def test_every_match_may_fire(text: str) -> None:
    assert read(f"id: r\nwhen: search\nsend: [{{banner: b}}]\n{text}").every_ms == 0


def test_a_key_may_be_a_property_of_ones_own() -> None:
    rule = read("id: r\nwhen: search\nsend: [{banner: b}]\nkey: props.room")
    assert rule.key == ("room",)


def test_a_warning_does_not_refuse_a_rule() -> None:
    reading = read_rule("id: r\nwhen: serch\nsend: [{banner: b}]", "r.yaml", AUDIENCES)
    assert reading.rule is not None
    assert list(map(str, reading.problems)) == [
        "r.yaml:2:7: warning: the vocabulary has no event serch (did you mean search?)"
    ]


#: A body, the problem that the file has with it, from the body's first line as line 3.
MALFORMED: list[tuple[str, str]] = [
    ("if: cart.value >=", "3:18: expected a value, found the end"),
    ("if: cart.value = 50", '3:16: expected an operator or the end, found "=" (write == to compare)'),
    ("if: cart.value >= 50 && true", '3:22: expected an operator or the end, found "&&" (write and)'),
    ('if: cart.value >= "50"', '3:19: expected a number to compare with cart.value, found a text: "50"'),
    (
        "if: cart.value",
        f"3:5: {NO_CONDITION} cart.value {COMPARE.format('cart.value')}",
    ),
    ("if: count(view_item) > 1", "3:5: count takes 2 arguments, found 1 (write it as in count(view_item, 24h))"),
    ("if: count(view_item, 500d) > 1", "3:22: expected a window of more than 0 and at most 400d, found 500d"),
    ("if: count(view_item, 1) > 1", '3:22: expected a window such as 24h, found "1"'),
    ("if: count()15mview_item", "3:5: count takes 2 arguments, found 0 (write it as in count(view_item, 24h))"),
    ("if: cnt(view_item, 1d) > 1", "3:5: there is no function cnt (did you mean count?)"),
    (
        "if: since(purchase) > 3",
        f"3:23: expected a duration to compare with since(purchase), found a number: 3 {UNIT}",
    ),
    (
        "if: price > 3",
        f"3:5: price is a field of events, not of the visitor {WRITE_LAST}",
    ),
    ("if: purchase", "3:5: purchase is an event, not a value (write count(purchase, 24h) > 0)"),
    ("if: view_item[price > 3]", "3:5: expected a value, found events (count them, as in count(EVENT[...], 24h) > 0)"),
    ("if: device in []", '3:16: expected a text in quotes or a number, found "]"'),
    ('if: device in ["a", 3]', "3:21: expected a text in this list, found a number: 3"),
    ("if: local_hour ~ '1*'", "3:5: expected a text before ~, found a number: local_hour"),
    ('if: segment("vipp")', '3:5: there is no segment "vipp" (did you mean vip?)'),
    ('if: score("cold") > 1', '3:5: there is no score "cold" (define it in audiences.yaml)'),
    ('if: stage == "loyl"', '3:14: there is no stage "loyl" (did you mean loyal?)'),
    (
        "if: opened(email)",
        "3:5: opened(email) is known only once messages are sent (put it in `if` or `unless` of an entry of `send`)",
    ),
    ("if:", "3:4: expected a value, found nothing"),
    ("if: [a, b]", "3:5: expected a value, found a list"),
    ("if: {a: b}", "3:5: expected a value, found a mapping"),
    ('if: "cart.value >= 50 and \\"x\\" > 3"', '3:35: expected a text to compare with "x", found a number: 3'),
    (
        "if: 'device == ''x'' and 5'",
        f"3:26: {NO_CONDITION} 5 {COMPARE.format('5')}",
    ),
    (
        "if: |\n  true\n  and 5",
        f"5:7: {NO_CONDITION} 5 {COMPARE.format('5')}",
    ),
    (
        "if: >-\n  true\n  and\n  5",
        f"6:3: {NO_CONDITION} 5 {COMPARE.format('5')}",
    ),
    (
        "if: true\n    and 5",
        f"4:9: {NO_CONDITION} 5 {COMPARE.format('5')}",
    ),
    ("evry: 24h", '3:1: a rule has no key "evry" (did you mean every?)'),
    (
        "every: soon",
        '3:8: expected a duration such as 15m, found "soon" (write a number followed by ms, s, m, h, d or w)',
    ),
    ("every: 15", '3:8: expected a duration such as 15m, found "15" (write a number followed by ms, s, m, h, d or w)'),
    ("every: 401d", '3:8: expected a duration of more than 0 and at most 400d, found "401d"'),
    ("ttl: 0s", '3:6: expected a duration of more than 0 and at most 400d, found "0s"'),
    ("goal: purchase -> refund", '3:16: expected the end, found "->"'),
    ("goal: purchase within soon", '3:23: expected a duration such as 15m, found "soon"'),
    ("goal: purchase[value > 'a'] within 3d", '3:24: expected a number to compare with value, found a text: "a"'),
    ("class: ads", '3:8: expected marketing or transactional, found "ads"'),
    ("class: marketting", '3:8: expected marketing or transactional, found "marketting" (did you mean marketing?)'),
    ("priority: high", '3:11: expected a whole number from 0 to 1000, found "high"'),
    ("priority: 1001", '3:11: expected a whole number from 0 to 1000, found "1001"'),
    ("priority: 1.5", '3:11: expected a whole number from 0 to 1000, found "1.5"'),
    ("quiet: 21:00", '3:8: expected quiet hours such as 21:00-09:00, found "21:00"'),
    ("quiet: 21:00-25:00", '3:8: expected a time of day such as 10:00, found "25:00"'),
    ("quiet: 21:00-21:00", '3:8: expected quiet hours that end at another time than they start, found "21:00-21:00"'),
    ("restart: maybe", '3:10: expected true or false, found "maybe"'),
    ("paused: later", '3:9: expected true or false, found "later"'),
    ("key: 5", '3:6: expected a field such as product_id, found "5"'),
    ("key: cart.value", "3:6: cart.value is not a field of an event (it is asked of the visitor, in `if`)"),
    ("key: a b", '3:8: expected an operator or the end, found "b"'),
    ("experiment: 10%", '3:13: expected an experiment, found "10%"'),
    (
        "experiment: {arms: {a: 1, b: 1}, allocation: thomson}",
        '3:46: expected weights or thompson, found "thomson" (did you mean thompson?)',
    ),
    (
        "experiment: {arms: {a: 1, b: 1}, allocation: thompson}",
        f"3:46: {THOMPSON}",
    ),
    ("goal: purchase\nexperiment: {arms: {a: 1}, allocation: thompson}", f"4:40: {THOMPSON}"),
    ("experiment: {holdout: 10}", '3:23: expected a share from 0% to 100%, found "10"'),
    ("experiment: {holdout: 110%}", '3:23: expected a share from 0% to 100%, found "110%"'),
    ("experiment: {arm: {a: 1}}", '3:14: an experiment has no key "arm" (did you mean arms?)'),
    ("experiment: {arms: [a, b]}", "3:20: expected arms such as {plain: 50, coupon: 50}, found a list"),
    ("experiment: {arms: {a: 0}}", '3:24: expected a number greater than 0, found "0"'),
    ("experiment: {arms: {a: 1, a: 2}}", '3:27: the arm "a" stands here twice (keep one of them)'),
    (
        "experiment: {arms: {holdout: 1}}",
        '3:21: the arm "holdout" would be taken for those held out (give it another name)',
    ),
    ("experiment: {arms: {a b: 1}}", '3:21: expected a name of letters, digits, _ and -, at most 64 long, found "a b"'),
    ("id: again", '3:1: the key "id" stands here twice (keep one of them)'),
    (
        "5: five",
        f'3:1: a rule has no key "5" {KEYS}',
    ),
    (
        "[a]: list",
        f'3:1: a rule has no key "" {KEYS}',
    ),
    ("if: [", "4:1: not valid YAML: expected the node content, but found '<stream end>'"),
    ("\tif: true", "3:1: not valid YAML: found character '\\t' that cannot start any token"),
    ("if: true: false", "3:9: not valid YAML: mapping values are not allowed here"),
    ("if: *nowhere", "3:5: not valid YAML: found undefined alias 'nowhere'"),
    ("--- {}", "3:1: not valid YAML: but found another document"),
]

#: What `send` may say wrong; it begins on line 3.
MALFORMED_SEND: list[tuple[str, str]] = [
    ("send: banner", '3:7: expected a list, found "banner" (write send: [...])'),
    ("send: [bar]", '3:8: expected a message such as banner: TEMPLATE, found "bar"'),
    ("send: [{baner: bar}]", '3:9: a message has no key "baner" (did you mean banner?)'),
    (
        "send: [{after: 4h}]",
        f"3:8: expected one channel per message, found none {CHANNELS}",
    ),
    (
        "send: [{banner: a, email: b}]",
        f"3:8: expected one channel per message, found banner and email {CHANNELS}",
    ),
    (
        "send: [{banner: ../secret}]",
        '3:17: expected a name of letters, digits, _ and -, at most 64 long, found "../secret"',
    ),
    ("send: [{banner: a, banner: b}]", '3:20: the key "banner" stands here twice (keep one of them)'),
    (
        "send: [{banner: a, after: later}]",
        '3:27: expected a duration such as 15m, found "later" (write a number followed by ms, s, m, h, d or w)',
    ),
    ("send: [{banner: a, at: noon}]", '3:24: expected a time of day such as 10:00, found "noon"'),
    ("send: [{banner: a, unless: opened(mail)}]", "3:28: there is no channel mail (did you mean email?)"),
    (
        "send: [{banner: a, if: cart.value}]",
        f"3:24: {NO_CONDITION} cart.value {COMPARE.format('cart.value')}",
    ),
    ("send: [{banner: a, tags: x}]", '3:26: expected a list, found "x" (write tags: [...])'),
    (
        "send: [{banner: a, tags: [x y]}]",
        '3:27: expected a name of letters, digits, _ and -, at most 64 long, found "x y"',
    ),
]

#: Whole files that are no rules.
NO_RULES: list[tuple[str, list[str]]] = [
    ("", ["r.yaml:1:1: expected a rule, found an empty file (a rule needs at least id and when)"]),
    ("# nothing", ["r.yaml:1:1: expected a rule, found an empty file (a rule needs at least id and when)"]),
    ("hello", ['r.yaml:1:1: expected a rule, found "hello" (write keys such as id: and when:)']),
    ("- id: r", ["r.yaml:1:1: expected a rule, found a list (write keys such as id: and when:)"]),
    ("when: search\nsend: []", ['r.yaml:1:1: a rule needs the key "id"']),
    ("id: r\nsend: []", ['r.yaml:1:1: a rule needs the key "when"']),
    (
        "id: a b\nwhen: search\nsend: []",
        ['r.yaml:1:5: expected a name of letters, digits, _ and -, at most 64 long, found "a b"'],
    ),
    ("id: r\nwhen: a ->\nsend: []", ["r.yaml:2:11: expected an event such as view_item or no, found the end"]),
    ("id: r\nwhen: '''x", ["r.yaml:2:11: not valid YAML: found unexpected end of stream"]),
    (
        "id: r\nwhen: \0",
        ["r.yaml:1:1: not valid YAML: unacceptable character #x0000: special characters are not allowed"],
    ),
    ("[" * 5000, ["r.yaml:1:1: expected a rule, found YAML nested too deeply"]),
    ("#" * 262_145, ["r.yaml:1:1: expected at most 262144 characters, found 262145"]),
]


@pytest.mark.parametrize(("body", "problem"), MALFORMED)
def test_a_malformed_rule_is_refused_with_its_own_problem(body: str, problem: str) -> None:
    text = f"id: r\nwhen: search\n{body}\n"
    assert problems_of(text) == [f"r.yaml:{problem}"]
    assert read_rule(text, "r.yaml", AUDIENCES).rule is None


@pytest.mark.parametrize(("body", "problem"), MALFORMED_SEND)
def test_a_malformed_message_is_refused_with_its_own_problem(body: str, problem: str) -> None:
    assert problems_of(f"id: r\nwhen: search\n{body}\n") == [f"r.yaml:{problem}"]


@pytest.mark.parametrize(("text", "problems"), NO_RULES)
def test_a_file_that_is_no_rule_is_refused(text: str, problems: list[str]) -> None:
    assert problems_of(text) == problems


def test_all_problems_of_a_file_are_told_in_its_order() -> None:
    text = FULL.replace("15m", "soon").replace('"mobile"', "3").replace("priority: 60", "priority: x")
    assert [problem.split(": ")[0] for problem in problems_of(text)] == ["r.yaml:3:41", "r.yaml:4:36", "r.yaml:18:11"]
