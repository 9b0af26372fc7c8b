"""What the collector makes of answers about consent, and of events whose visitor refused."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from collector.intake.draft import Drop, DropReason, Receipt, WarningReason
from collector.intake.pipeline import run
from tests.collector.messages import NOON, SHOP, dropped, kept, message, processed, props

SERVER: Final = Receipt(received_at=NOON, is_from_server=True)


def warned(sent: dict[str, Any], **site: Any) -> list[tuple[WarningReason, str]]:
    """The warnings about a message that must be kept."""
    shop = msgspec.structs.replace(SHOP, **site)
    outcome = run([msgspec.Raw(msgspec.json.encode(sent))], shop, SERVER, {})
    assert outcome.drops == []
    return [(warning.reason, warning.detail) for warning in outcome.warnings]


def answer(event: str = "consent", **properties: Any) -> dict[str, Any]:
    """The answer that is stored."""
    row = kept(message(event=event, properties=properties), receipt=SERVER)
    return {name: value for name, value in props(row).items() if name not in {"source", "proven_by"}}


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ({"marketing": "false"}, {"marketing": False}),
        ({"marketing": 0}, {"marketing": False}),
        ({"marketing": "denied", "reason": "dialogue"}, {"marketing": False, "reason": "dialogue"}),
        ({"channels": {"email": "no"}}, {"channels": {"email": False}}),
        ({"ad_storage": "denied"}, {"marketing": False}),
        ({"consent": "opted_out"}, {"marketing": False, "analytics": False}),
        ({"email": "no"}, {"channels": {"email": False}}),
        ({"Email": False, "sms": "denied"}, {"channels": {"email": False, "sms": False}}),
        ({"email": "anna@shop.example", "marketing": 0}, {"email": "anna@shop.example", "marketing": False}),
        ({"email_marketing": "no"}, {"offers": {"email": False}}),
        ({"accepts_marketing": "false"}, {"offers": {"email": False, "sms": False, "push": False}}),
        ({"unsubscribed": True}, {"offers": {"email": False, "sms": False, "push": False}}),
    ],
)
def test_an_answer_is_stored_in_its_one_form(said: dict[str, Any], stored: dict[str, Any]) -> None:
    assert answer(**said) == stored
    assert warned(message(event="consent", properties=said)) == []


@pytest.mark.parametrize("event", ["unsubscribed", "subscribe"])
@pytest.mark.parametrize(
    ("channel", "stored"),
    [
        ("Email", "email"),
        ("web push", "push"),
        ("all", ["email", "sms", "push", "banner"]),
        ("*", ["email", "sms", "push", "banner"]),
        (["Email", "SMS"], ["email", "sms"]),
        (["Email"], "email"),
    ],
)
def test_a_channel_is_stored_by_its_own_name(event: str, channel: object, stored: object) -> None:
    assert answer(event, channel=channel) == {"channel": stored}
    assert answer(event, channels=channel) == {"channel": stored}


def test_leaving_a_channel_that_cannot_be_read_leaves_all_and_joining_it_joins_none() -> None:
    assert answer("unsubscribed", channel="fax") == {"channel": ["email", "sms", "push", "banner"]}
    assert answer("subscribe", channel="fax") == {"channel": []}
    for event in ("unsubscribed", "subscribe"):
        ((reason, detail),) = warned(message(event=event, properties={"channel": "fax"}))
        assert (reason, "channel" in detail, "fax" in detail) == (WarningReason.CONSENT_UNREADABLE, True, False)


def test_an_absent_channel_stays_absent() -> None:
    assert answer("unsubscribed", reason="letter") == {"reason": "letter"}


@pytest.mark.parametrize(
    "properties", [{"marketing": "vielleicht"}, {"marketing": ""}, {"channels": {"email": "hm"}}, {}, {"colour": "red"}]
)
def test_an_answer_that_cannot_be_read_is_warned_of_by_its_place_alone(properties: dict[str, Any]) -> None:
    ((reason, detail),) = warned(message(event="consent", properties=properties))
    assert reason is WarningReason.CONSENT_UNREADABLE
    assert "vielleicht" not in detail


def test_a_consent_manager_that_says_the_answer_in_the_context_is_heard() -> None:
    said = {"consent": {"categoryPreferences": {"Advertising": False, "Analytics": True}}}
    row = kept(message(event="Segment Consent Preference Updated", context=said))
    assert (row.event, props(row)) == ("consent", {"analytics": True, "marketing": False, "source": "page"})


@pytest.mark.parametrize(
    ("traits", "stored"),
    [
        ({"consent": "no"}, {"marketing": False, "analytics": False}),
        ({"accepts_marketing": "false"}, {"offers": {"email": False, "sms": False, "push": False}}),
        ({"email_marketing_consent": {"state": "unsubscribed"}}, {"offers": {"email": False}}),
    ],
)
def test_an_answer_in_traits_becomes_the_trait_consent(traits: dict[str, Any], stored: dict[str, Any]) -> None:
    row = kept(message(type="identify", event=None, traits=traits), receipt=SERVER)
    assert props(row)["traits"] == {**traits, "consent": {**stored, "source": "server"}}


def test_a_refusal_of_marketing_in_the_context_counts_with_identify_but_not_from_our_own_sdk() -> None:
    said = {"consent": {"marketing": "no"}}
    sent = message(type="identify", event=None, traits={"plan": "gold"}, context=said)
    assert props(kept(sent))["traits"] == {"plan": "gold", "consent": {"marketing": False, "source": "page"}}
    ours = message(type="identify", event=None, traits={"plan": "gold"}, context={**said, "library": {"name": "mm.js"}})
    assert props(kept(ours))["traits"] == {"plan": "gold"}


REFUSING: Final[list[Any]] = [
    {"analytics": "false"},
    {"analytics": 0},
    {"analytics": "denied"},
    {"Analytics": "No"},
    {"analytics_storage": "denied"},
    {"categoryPreferences": {"Analytics": False, "Advertising": True}},
    {"categoryPreferences": {"Analytics": "false"}},
    {"categoryPreferences": {"Statistiken": False}},
    {"analytics": "vielleicht"},
    "denied",
    "no",
    False,
    ["marketing"],
    {"status": "denied"},
]


@pytest.mark.parametrize("said", REFUSING)
@pytest.mark.parametrize("mode", ["opt-in", "opt-out"])
def test_a_refusal_in_the_context_is_heard_in_every_spelling(said: object, mode: Any) -> None:
    site = msgspec.structs.replace(SHOP, consent=mode)
    assert dropped(message(context={"consent": said}), site=site).reason is DropReason.NO_CONSENT
    assert dropped(message(), site=site, context={"consent": said}).reason is DropReason.NO_CONSENT


@pytest.mark.parametrize(
    "said",
    [
        {"analytics": "true"},
        {"analytics": 1},
        {"analytics": " Granted "},
        {"analytics_storage": "granted"},
        {"categoryPreferences": {"Analytics": True, "Advertising": False}},
        "granted",
        True,
        ["analytics"],
    ],
)
def test_a_yes_in_the_context_is_heard_in_every_spelling(said: object) -> None:
    site = msgspec.structs.replace(SHOP, consent="opt-in")
    assert kept(message(context={"consent": said}), site=site)


@pytest.mark.parametrize("said", [None, {}, {"marketing": False}, {"analytics": None}, {"categoryPreferences": {}}])
def test_no_answer_in_the_context_is_none(said: object) -> None:
    assert kept(message(context={"consent": said}))
    site = msgspec.structs.replace(SHOP, consent="opt-in")
    assert dropped(message(context={"consent": said}), site=site).reason is DropReason.NO_CONSENT


def test_a_category_of_the_sites_own_is_what_the_site_says() -> None:
    site = msgspec.structs.replace(SHOP, consent_categories={"statistik": "analytics"})
    said = {"categoryPreferences": {"Statistik": True, "Komfort": False}}
    assert kept(message(context={"consent": said}), site=site)
    refused = {"categoryPreferences": {"Statistik": False}}
    outcome = processed(message(context={"consent": refused}), site=site)
    assert isinstance(outcome, Drop)
    assert outcome.detail == "the visitor refused analytics"
