from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.trigger_worker.rules.evaluate.support import NOON, ms
from tests.trigger_worker.rules.library.histories import CASES, add, remove
from trigger_worker.deciding.gate.policy_file import load_policy
from trigger_worker.rules.evaluate.compiled_rule import compile_rule
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.files.folder import RuleFolder
from trigger_worker.rules.library.catalogue import AUDIENCES, POLICY, RULES, TEMPLATES, Entry, read_library

DOCS = Path(__file__).parents[4] / "docs"
LIBRARY = RuleFolder(RULES, AUDIENCES).refresh()
ENTRIES = {entry.rule.id: entry for entry in read_library()}


def fired_at(entry: Entry, events: Iterable[Event], until: str = "400d") -> list[int]:
    compiled = compile_rule(entry.rule, LIBRARY.audiences)
    matches = compiled.firings(History(events), NOON - ms("400d"), NOON + ms(until), {})
    return [match.at - NOON for match in matches]


def test_no_rule_has_an_error_or_a_warning() -> None:
    assert LIBRARY.problems == ()
    assert len(LIBRARY.rules) == len(list(RULES.iterdir())) >= 40


def test_every_rule_has_its_two_histories() -> None:
    assert CASES.keys() == ENTRIES.keys()


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_a_rule_lies_in_a_file_of_its_name_and_says_when_to_use_it(entry: Entry) -> None:
    assert entry.file.exists()
    assert "; " in entry.rule.describe
    assert entry.rule.describe.endswith(".")
    assert entry.rule.send


@pytest.mark.parametrize("rule_id", CASES)
def test_a_rule_fires_when_it_says(rule_id: str) -> None:
    case = CASES[rule_id]
    assert fired_at(ENTRIES[rule_id], case.fires) == [ms(case.at)]


@pytest.mark.parametrize("rule_id", CASES)
def test_a_rule_is_silent_when_it_must_be(rule_id: str) -> None:
    case = CASES[rule_id]
    assert fired_at(ENTRIES[rule_id], case.silent, case.silent_until) == []


def test_the_audiences_know_seven_stages_four_psychologies_and_two_scores() -> None:
    audiences = LIBRARY.audiences
    psychologies = {"high_confidence", "value_conscious", "impulse", "research_heavy"}
    assert audiences.segments.keys() >= psychologies
    assert list(audiences.stages) == [
        *("churned", "at_risk", "loyal", "developing", "first_time", "lead", "anonymous_high_intent"),
        "visitor",
    ]
    assert audiences.scores.keys() == {"engagement", "intent"}


def test_the_policy_lets_nobody_be_flooded() -> None:
    policy = load_policy(POLICY)
    assert policy.quiet
    assert {cap.obeys.channel for cap in policy.caps} == {"", "email", "banner"}
    assert any(cap.obeys.tag == "discount" for cap in policy.caps)
    assert policy.fatigue is not None
    assert 0 < policy.holdout < 0.1


def test_every_message_with_a_coupon_counts_as_a_discount() -> None:
    coupons = re.compile(r"^coupon:|Your code", re.MULTILINE)
    for rule in LIBRARY.rules:
        for message in rule.send:
            (file,) = TEMPLATES.glob(f"{message.template}.{message.channel}.*")
            has_coupon = coupons.search(file.read_text(encoding="utf-8")) is not None
            assert (message.tags == ("discount",)) == has_coupon, rule.id


def test_each_of_the_ten_rules_that_the_language_promises_is_there() -> None:
    promised = (DOCS / "rules.md").read_text(encoding="utf-8").partition("## Ten rules")[2]
    patterns = re.findall(r"^\d+\. `(.*?)`", promised, re.MULTILINE)
    assert len(patterns) == 10
    assert set(patterns) <= {entry.when for entry in ENTRIES.values()}


def test_nobody_is_reminded_of_an_emptied_cart() -> None:
    rule = ENTRIES["cart_abandoned"].rule
    compiled = compile_rule(rule, LIBRARY.audiences)
    reminders = [message for message in rule.send if message.channel == "email"]
    full, emptied = History([add("0s", 50.0)]), History([add("0s", 50.0), remove("1h", 50.0)])
    assert all(compiled.may_send(message, full, NOON + ms("4h"), {}) for message in reminders)
    assert not any(compiled.may_send(message, emptied, NOON + ms("4h"), {}) for message in reminders)
