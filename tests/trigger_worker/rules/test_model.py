"""Versions of rules: the same for the same meaning, another for another."""

from __future__ import annotations

import pytest

from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.language.check import AudienceNames

RULE = """\
id: r
describe: text
when: (a or b)[props.x > 1] -> no c within 60m
if: cart.value >= 5
every: 24h
goal: purchase within 3d
send:
  - email: reminder
    after: 4h
    unless: opened(banner)
    tags: [t]
class: marketing
priority: 50
quiet: 21:00-09:00
ttl: 24h
experiment: {holdout: 10%, arms: {a: 1}}
key: product_id
restart: false
"""


def version(text: str, path: str = "r.yaml") -> str:
    rule = read_rule(text, path, AudienceNames()).rule
    assert rule is not None
    return rule.version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("describe: text", "describe: another"),
        ("(a or b)[props.x > 1]", "( b or a ) [ props.x>1 ]"),
        ("60m", "1h"),
        ("24h", "1d"),
        ("every: 24h\n", "# said nowhere\n"),
        ("restart: false\n", ""),
        ("restart: false\n", "restart: false\npaused: true\n"),
        ("cart.value >= 5", '"(cart.value >= 5.0)"'),
    ],
)
def test_the_same_meaning_is_the_same_version(old: str, new: str) -> None:
    assert version(RULE.replace(old, new), "other.yaml") == version(RULE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("props.x > 1", "props.x > 2"),
        ("within 60m", "within 61m"),
        ("cart.value >= 5", "cart.value > 5"),
        ("every: 24h", "every: 23h"),
        ("within 3d", "within 4d"),
        ("email: reminder", "email: other"),
        ("email: reminder", "sms: reminder"),
        ("after: 4h", "after: 5h"),
        ("after: 4h", "at: 10:00"),
        ("unless: opened", "if: opened"),
        ("tags: [t]", "tags: [u]"),
        ("class: marketing", "class: transactional"),
        ("priority: 50", "priority: 51"),
        ("21:00", "22:00"),
        ("ttl: 24h", "ttl: 23h"),
        ("holdout: 10%", "holdout: 11%"),
        ("{a: 1}", "{a: 2}"),
        ("key: product_id", "key: order_id"),
        ("restart: false", "restart: true"),
    ],
)
def test_another_meaning_is_another_version(old: str, new: str) -> None:
    assert version(RULE.replace(old, new)) != version(RULE)


def test_a_version_stays_the_same_between_releases() -> None:
    assert version("id: r\nwhen: search") == "62df1bbbb911"
