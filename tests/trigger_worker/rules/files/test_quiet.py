"""Quiet hours of rules and policies."""

from __future__ import annotations

import pytest

from trigger_worker.rules.files.quiet import OUTREACH
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.rules.language.names import CHANNELS
from trigger_worker.rules.model import Quiet, QuietHours

NIGHT = QuietHours(21 * 60, 9 * 60)
NIGHT_DROPS = QuietHours(21 * 60, 9 * 60, "drop")
LATE = QuietHours(23 * 60, 6 * 60)


def quiet(value: str) -> tuple[Quiet, list[str]]:
    reading = read_rule(f"id: r\nwhen: search\nquiet: {value}", "r.yaml", AudienceNames())
    return {} if reading.rule is None else reading.rule.quiet, [str(problem) for problem in reading.problems]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("21:00-09:00", dict.fromkeys(OUTREACH, NIGHT)),
        ("none", dict.fromkeys(CHANNELS)),
        ("{hours: 21:00-09:00}", dict.fromkeys(OUTREACH, NIGHT)),
        ("{hours: 21:00-09:00, then: drop}", dict.fromkeys(OUTREACH, NIGHT_DROPS)),
        ("{banner: 23:00-06:00}", {"banner": LATE}),
        ("{banner: {hours: 21:00-09:00, then: drop}, sms: none}", {"banner": NIGHT_DROPS, "sms": None}),
        ("{hours: 21:00-09:00, email: none}", {**dict.fromkeys(OUTREACH, NIGHT), "email": None}),
        ("{}", {}),
    ],
)
def test_hours_are_for_the_channels_that_reach_out_or_for_those_named(value: str, expected: Quiet) -> None:
    assert quiet(value) == (expected, [])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("night", 'r.yaml:3:8: expected quiet hours such as 21:00-09:00, found "night"'),
        ("[none]", "r.yaml:3:8: expected a value, found a list"),
        ("{then: drop}", "r.yaml:3:8: quiet time needs hours"),
        ("{hours: 21:00-09:00, then: wait}", "expected defer or drop"),
        ("{sms: {then: drop}}", "needs hours"),
        ("{sms: late}", "expected quiet hours such as 21:00-09:00"),
        ("{fax: none}", 'quiet time has no key "fax"'),
    ],
)
def test_a_mistake_is_named(value: str, problem: str) -> None:
    (found,) = quiet(value)[1]
    assert problem in found
