from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from micromoment.terminal.explanation import explanation_text
from trigger_worker.replay.explanation import EventReport, EveryReport, Explained, Failure, StepReport, TermReport

AT = "2026-11-22T12:00:00.000Z"
HOVER = StepReport("hover", met=True, event=EventReport("hover", "e1", AT))
VALUE = TermReport("cart.value", 40.0)
EXPLAINED = Explained(
    rule="lingers",
    version="v1",
    site="shop",
    visitor_id="anna",
    asked_at=AT,
    at=AT,
    key="",
    outcome="fails",
    failed=Failure("if", "cart.value >= 50", value=False, because=(VALUE,)),
    when=(HOVER,),
    condition=TermReport("cart.value >= 50", value=False, parts=(VALUE,)),
    every=EveryReport("24h", met=True, last_fired=None, source="stored"),
)


def lines(**changes: Any) -> list[str]:
    return explanation_text(replace(EXPLAINED, **changes)).splitlines()


def test_the_parts_of_a_rule_are_listed_with_a_mark_and_a_value_each() -> None:
    assert lines() == [
        f"lingers does not qualify for anna at {AT}",
        "first failed: if: cart.value >= 50 (cart.value is 40)",
        "when",
        f"  ✓ hover: hover at {AT}",
        "if",
        "  ✗ cart.value >= 50: false",
        "      cart.value: 40",
        "every",
        "  ✓ 24h: never before",
    ]


@pytest.mark.parametrize(
    ("outcome", "says"),
    [("fired", "lingers fired for"), ("qualifies", "lingers qualifies for"), ("waits", "lingers waits for")],
)
def test_an_outcome_is_told_first(outcome: str, says: str) -> None:
    assert lines(outcome=outcome, failed=None)[0].startswith(says)


def test_a_rule_without_a_condition_has_no_part_for_it() -> None:
    assert "if" not in lines(condition=None, failed=None, outcome="qualifies")


def test_a_key_is_shown_quoted_and_gives_a_terminal_no_commands() -> None:
    first = lines(key='p"1\x1b[2J', visitor_id="an\x07na")[0]
    assert first == f'lingers does not qualify for an�na with key "p\\"1\\u001b[2J" at {AT}'


def test_a_paused_rule_is_told_to_fire_for_nobody() -> None:
    assert lines(paused=True)[1] == "paused: the rule fires for nobody until `paused` is false"


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (StepReport("purchase", met=False), "  ✗ purchase"),
        (
            StepReport("purchase", met=False, event=EventReport("purchase", "e2", AT)),
            f"  ✗ purchase: not in the chain; the latest was purchase at {AT}",
        ),
        (
            StepReport("no purchase within 1h", met=True, until=AT),
            f"  ✓ no purchase within 1h: none came; over at {AT}",
        ),
        (
            StepReport("no purchase within 1h", met=False, event=EventReport("purchase", "e2", AT), until="later"),
            f"  ✗ no purchase within 1h: purchase at {AT} came before later",
        ),
    ],
)
def test_a_step_tells_which_event_it_is_about(step: StepReport, says: str) -> None:
    assert lines(when=(HOVER, step))[4] == says


@pytest.mark.parametrize(
    ("failed", "says"),
    [
        (Failure("when", "purchase", value=None), "first failed: when: purchase: none came"),
        (Failure("if", "cart.coupon", value=None), "first failed: if: cart.coupon is missing"),
        (Failure("every", "24h", value=AT), f"first failed: every: 24h, last fired {AT}"),
    ],
)
def test_the_first_failure_names_its_part(failed: Failure, says: str) -> None:
    assert lines(when=(HOVER, StepReport("purchase", met=False)), failed=failed)[1] == says


def test_what_still_waits_has_not_failed() -> None:
    waiting = Failure("when", "no purchase within 1h", value=None)
    step = StepReport("no purchase within 1h", met=False, until="later")
    assert lines(outcome="waits", when=(step,), failed=waiting)[1].startswith("still open: when: no purchase within 1h")


@pytest.mark.parametrize(
    ("term", "says"),
    [
        (TermReport("since(hover)", 90_000.0, "ms"), "since(hover): 90s"),
        (TermReport("cart.value", 40.5), "cart.value: 40.5"),
        (TermReport("device", "mobile"), 'device: "mobile"'),
        (TermReport("seen", value=True), "seen: true"),
    ],
)
def test_a_value_is_written_as_in_a_rule(term: TermReport, says: str) -> None:
    assert lines(condition=term)[5].strip(" ✓✗") == says
