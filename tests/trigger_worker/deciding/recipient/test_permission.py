"""What a visitor's events allow to be sent, and where."""

from __future__ import annotations

from typing import Any

import pytest

from tests.trigger_worker.deciding.recipient.permissions import build_permission
from tests.trigger_worker.rules.evaluate.support import event
from trigger_worker.deciding.recipient.permission import PERMISSION_LOOKBACK_MS, Consent, Permission
from trigger_worker.rules.evaluate.event import Event
from warehouse.event import LASTING_EVENTS

KNOWN = event("identify", traits={"email": "Ann@Example.com"})
MOVED = event("identify", traits={"email": "ann@new.example"})


def says(**answer: Any) -> Event:
    return event("consent", **answer)


def left(channel: str = "") -> Event:
    return event("unsubscribed", channel=channel)


def permission(*events: Event) -> Permission:
    return build_permission(events)


def test_nothing_said_is_nothing_known() -> None:
    assert permission() == Permission(Consent(), frozenset(), {})


def test_answers_are_heard_in_their_order() -> None:
    found = permission(says(marketing=True, analytics=False, channels={"sms": True}), left(), left("sms"))
    assert found.consent == Consent(marketing=True, channels={"sms": True}, analytics=False)
    assert found.unsubscribed == {"email", "sms"}
    assert permission(left(), event("subscribe")).unsubscribed == frozenset()


def test_identify_may_carry_consent() -> None:
    assert permission(event("identify", traits={"consent": {"marketing": False}})).consent.marketing is False


@pytest.mark.parametrize("word", ["", None, {}, []])
def test_traits_that_are_no_answer_are_none(word: object) -> None:
    assert permission(event("identify", traits={"consent": word})).consent == Consent()
    assert permission(event("identify", traits=word)).consent == Consent()


@pytest.mark.parametrize("word", ["false", 0, "denied", "hm"])
def test_a_trait_that_is_no_yes_is_a_no(word: object) -> None:
    assert permission(event("identify", traits={"consent": word})).consent == Consent(marketing=False, analytics=False)


@pytest.mark.parametrize(
    "traits", [{"accepts_marketing": "false"}, {"email_marketing_consent": {"state": "not_subscribed"}}]
)
def test_a_platform_that_says_no_ends_offers(traits: dict[str, Any]) -> None:
    assert "email" in permission(event("identify", traits=traits)).unsubscribed


@pytest.mark.parametrize(
    ("events", "suppressed"),
    [
        (
            [KNOWN, event("email_bounced", address="ann@example.com", kind="hard")],
            {"ann@example.com": "bounced"},
        ),
        ([KNOWN, event("email_bounced", address="ann@example.com", kind="soft")], {}),
        # What a sender does not say is read on the side of silence.
        ([KNOWN, event("email_bounced")], {"ann@example.com": "bounced"}),
        ([KNOWN, event("email_bounced"), MOVED], {"ann@example.com": "bounced"}),
        ([KNOWN, MOVED, event("email_complained")], {"ann@new.example": "complained"}),
        (
            [event("email_complained", address=" ANN@example.com "), event("email_bounced", address="ann@example.com")],
            {"ann@example.com": "complained"},
        ),
        ([event("email_complained")], {}),
        ([event("email_complained", address=7)], {}),
        # A yes to everything does not bring a mailbox back to life.
        (
            [KNOWN, event("email_bounced"), says(marketing=True, channels={"email": True})],
            {"ann@example.com": "bounced"},
        ),
    ],
)
def test_an_address_that_bounced_or_complained_is_suppressed(events: list[Event], suppressed: dict[str, str]) -> None:
    assert permission(*events).suppressed == suppressed


def test_all_that_a_permission_is_made_from_is_kept_longer_than_behaviour_but_the_address_itself() -> None:
    assert PERMISSION_LOOKBACK_MS.keys() - LASTING_EVENTS == {"identify"}
