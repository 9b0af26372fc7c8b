"""What a person's own events tell of the addresses that the person had then."""

from __future__ import annotations

from typing import Any

import pytest

from tests.trigger_worker.rules.evaluate.support import event
from trigger_worker.deciding.recipient.told_facts import told_facts
from trigger_worker.rules.evaluate.event import Event
from warehouse.address_ledger import AddressKeys

KEYS = AddressKeys(b"secret")
KNOWN = event("identify", "-9m", traits={"email": "ann@example.com", "phone": "+4915112345678"}, proven_by="server")


def facts(*events: Event) -> list[tuple[str, str]]:
    """The channel and the fact of each, but for those that the addresses are known by."""
    told = told_facts("shop", [KNOWN, *events], KEYS, {})
    return [(fact.key.channel, fact.fact) for fact in told if fact.fact != "confirmed"]


def says(name: str, at: str = "-5m", **fields: Any) -> Event:
    return event(name, at, source="call_centre", proven_by="server", **fields)


def told(at: str = "-5m", **traits: Any) -> Event:
    return event("identify", at, traits=traits, proven_by="server")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (says("unsubscribed", channel="Email"), [("email", "left")]),
        (says("unsubscribed", channel=["E-Mail", "SMS"]), [("email", "left"), ("sms", "left")]),
        (says("unsubscribed", channel="all"), [("email", "left"), ("sms", "left")]),
        (says("unsubscribed", channel="pigeon"), [("email", "left"), ("sms", "left")]),
        (says("subscribe", channel="Email"), [("email", "returned")]),
        (says("subscribe", channel="pigeon"), []),
        (says("consent", marketing="no"), [("email", "left"), ("sms", "left")]),
        (says("consent", channels={"Email": "denied"}), [("email", "refused")]),
        (told(consent="denied"), [("email", "left"), ("sms", "left")]),
        (told(email_marketing_consent={"state": "unsubscribed"}), [("email", "left")]),
        (told(email_marketing_consent={"state": "subscribed"}), []),
    ],
)
def test_answers_of_the_shop_count_for_addresses_in_any_words(said: Event, expected: list[tuple[str, str]]) -> None:
    assert sorted(facts(said)) == sorted(expected)


def test_a_platform_that_takes_its_no_back_brings_the_address_back() -> None:
    no, yes = {"state": "unsubscribed"}, {"state": "subscribed"}
    found = facts(told("-5m", email_marketing_consent=no), told("-4m", email_marketing_consent=yes))
    assert found == [("email", "left"), ("email", "returned")]


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_address_that_was_taken_back_is_nobodys(nothing: object) -> None:
    gone = told("-5m", email=nothing)
    assert facts(gone, says("unsubscribed", "-4m", channel="Email"), event("email_bounced", "-3m")) == []
    assert facts(gone, says("unsubscribed", "-4m", channel="SMS")) == [("sms", "left")]
    # What was said before there was an address again holds for the next one.
    back = told("-3m", email="ann@new.example")
    assert facts(gone, says("unsubscribed", "-4m", channel="Email"), back) == [("email", "left")]
