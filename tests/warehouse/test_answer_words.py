"""Answers about consent in whichever words they come."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.answer_form import answer_of_traits, read_consent
from warehouse.answer_words import channels_named, read_answer
from warehouse.channel_traits import PREFERENCE_CHANNELS

EVERYWHERE = dict.fromkeys(PREFERENCE_CHANNELS, True)
NOWHERE = dict.fromkeys(PREFERENCE_CHANNELS, False)
BOTH = {"marketing": True, "analytics": True}
NEITHER = {"marketing": False, "analytics": False}

YES = [
    *(True, 1, 1.0, "1", "1.0", "true", "True", " TRUE ", '"true"', "yes", "Yes", "y", "on", "granted", "GRANTED"),
    *("allow", "allowed", "accept", "accepted", "agree", "opted_in", "opted-in", "optedIn", "opt in", "subscribed"),
    *("enabled", "\tyes\n"),
    *({"state": "subscribed"}, {"status": "SUBSCRIBED"}, {"granted": True}, {"value": 1}, {"consent": "yes"}),
]
NO = [
    *(False, 0, 0.0, "0", "false", "False", " FALSE ", "'false'", "no", "No", "n", "off", "denied", "deny", "DENIED"),
    *("disallow", "not allowed", "reject", "rejected", "declined", "opted_out", "opted-out", "optOut", "unsubscribed"),
    *("not_subscribed", "never_subscribed", "pending", "disabled", "revoked", "cleaned", "none"),
    *({"state": "unsubscribed"}, {"state": "not_subscribed"}, {"granted": "no"}, {"consent": {"state": "denied"}}),
]
UNREADABLE: list[Any] = [
    *("", " ", "oui", "nein", "vielleicht", "2", 2, -1, "-1", 1.5, [], {}, ["yes"], "undefined", "null", "yes and no"),
    *({"state": None}, {"colour": "red"}, {"state": {"state": {"state": "yes"}}}),
]


@pytest.mark.parametrize("value", YES)
def test_a_yes_is_read_in_every_spelling(value: object) -> None:
    unread: list[str] = []
    assert (read_answer(value, "marketing", unread), unread) == (True, [])


@pytest.mark.parametrize("value", NO)
def test_a_no_is_read_in_every_spelling(value: object) -> None:
    unread: list[str] = []
    assert (read_answer(value, "marketing", unread), unread) == (False, [])


@pytest.mark.parametrize("value", UNREADABLE)
def test_what_cannot_be_read_is_a_no_and_named(value: object) -> None:
    unread: list[str] = []
    assert (read_answer(value, "marketing", unread), unread) == (False, ["marketing"])


def test_null_is_no_answer() -> None:
    assert read_answer(None, "marketing", unread := list[str]()) is None
    assert unread == []


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"marketing": "false", "analytics": 1}, {"marketing": False, "analytics": True}),
        ({"Marketing": "No", "ANALYTICS": "yes"}, {"marketing": False, "analytics": True}),
        ({"marketing": None}, {}),
        ({"marketing": "no", "source": "call_centre"}, {"marketing": False, "source": "call_centre"}),
        ({"ad_storage": "denied", "analytics_storage": "granted"}, {"marketing": False, "analytics": True}),
        ({"ad_storage": "granted", "ad_user_data": "denied"}, {"marketing": False}),
        ({"marketing": True, "ad_storage": "denied"}, {"marketing": True}),
        ({"ad_storage": "denied", "marketing": True}, {"marketing": True}),
        (
            {"categoryPreferences": {"Advertising": False, "Analytics": True, "Functional": False}},
            {**BOTH, "marketing": False},
        ),
        ({"categoryPreferences": {"Advertising": "yes", "Analytics": "0"}}, {**BOTH, "analytics": False}),
        ({"categories": ["analytics", "marketing"]}, BOTH),
        ({"categories": ["necessary"]}, NEITHER),
        ({"consent": "denied"}, NEITHER),
        ({"granted": True}, BOTH),
        ("granted", BOTH),
        ("Denied ", NEITHER),
        (False, NEITHER),
        (["analytics"], {"marketing": False, "analytics": True}),
        (["all"], BOTH),
        ([], {}),
        (["necessary"], NEITHER),
        (None, {}),
        (
            {"channels": {"Email": "no", "SMS": "yes", "Web Push": 0}},
            {"channels": {"email": False, "sms": True, "push": False}},
        ),
        ({"channels": {"emails": "no", "text messages": 1}}, {"channels": {"email": False, "sms": True}}),
        ({"channels": {"all": "no"}}, {"channels": NOWHERE}),
        ({"channels": {"*": False, "email": True}}, {"channels": {**NOWHERE, "email": True}}),
        ({"channels": {"email": "no", "all": "yes"}}, {"channels": {**EVERYWHERE, "email": False}}),
        ({"channels": ["Email", "sms"]}, {"channels": {"email": True, "sms": True}}),
        ({"channels": [{"channel": "Email", "state": "unsubscribed"}]}, {"channels": {"email": False}}),
        ({"channels": "email, SMS"}, {"channels": {"email": True, "sms": True}}),
        ({"channels": "all"}, {"channels": EVERYWHERE}),
        ({"channels": "none"}, {"channels": NOWHERE}),
        ({"channels": "no"}, {"channels": NOWHERE}),
        ({"channels": False}, {"channels": NOWHERE}),
        ({"channels": {"email": None}}, {"channels": {}}),
        ({"channels": None}, {}),
        ({"functional": False, "necessary": True}, {"functional": False, "necessary": True}),
    ],
)
def test_an_answer_is_the_same_in_every_form(said: object, read: dict[str, Any]) -> None:
    unread: list[str] = []
    assert read_consent(said, unread) == read
    assert unread == []


@pytest.mark.parametrize(
    ("said", "read", "places"),
    [
        ({"marketing": "vielleicht"}, {"marketing": False}, {"consent.marketing"}),
        ({"channels": {"email": "hm"}}, {"channels": {"email": False}}, {"consent.channels.email"}),
        ({"channels": {"fax": "no"}}, {"channels": {"fax": False}}, {"consent.channels"}),
        ({"channels": "fax"}, {"channels": NOWHERE}, {"consent.channels"}),
        ({"channels": ["email", "fax"]}, {"channels": {"email": True}}, {"consent.channels"}),
        ({"categoryPreferences": {"Statistiken": False}}, NEITHER, {"consent.categoryPreferences"}),
        (
            {"categoryPreferences": {"Statistiken": False, "Analytics": True}},
            {**BOTH, "marketing": False},
            {"consent.categoryPreferences"},
        ),
        ("ja", NEITHER, {"consent"}),
        (7, NEITHER, {"consent"}),
    ],
)
def test_what_cannot_be_read_of_an_answer_is_a_no(said: object, read: dict[str, Any], places: set[str]) -> None:
    unread: list[str] = []
    assert read_consent(said, unread) == read
    assert set(unread) == places


def test_categories_of_a_site_are_what_it_says() -> None:
    said = {"categoryPreferences": {"Statistik": True, "Werbung": False, "Analytics": False}}
    about = {"statistik": "analytics", "werbung": "marketing", "analytics": "neither"}
    assert read_consent(said, [], about) == {"analytics": True, "marketing": False}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("traits", "answer"),
    [
        ({}, {}),
        ({"plan": "gold"}, {}),
        ({"consent": "no"}, NEITHER),
        ({"consent": ""}, {}),
        ({"consent": None}, {}),
        ({"consent": {"marketing": 0}}, {"marketing": False}),
        ({"consent": ["email", "SMS"]}, {"offers": {"email": True, "sms": True}}),
        ({"accepts_marketing": False}, {"offers": {"email": False, "sms": False, "push": False}}),
        ({"acceptsMarketing": "true"}, {"offers": {"email": True, "sms": True, "push": True}}),
        ({"accepts_marketing": None}, {}),
        (
            {"email_marketing_consent": {"state": "subscribed", "opt_in_level": "single_opt_in"}},
            {"offers": {"email": True}},
        ),
        ({"email_marketing_consent": {"state": "not_subscribed"}}, {"offers": {"email": False}}),
        ({"sms_marketing_consent": "unsubscribed"}, {"offers": {"sms": False}}),
        (
            {"accepts_marketing": "no", "email_marketing_consent": {"state": "subscribed"}},
            {"offers": {"email": True, "sms": False, "push": False}},
        ),
        ({"email_subscribe": "opted_in", "push_subscribe": "unsubscribed"}, {"offers": {"email": True, "push": False}}),
        ({"unsubscribed": True}, {"offers": {"email": False, "sms": False, "push": False}}),
        ({"unsubscribed": "false"}, {"offers": {"email": True, "sms": True, "push": True}}),
        (
            {
                "subscriptions": {
                    "email": {"marketing": {"consent": "SUBSCRIBED"}},
                    "sms": {"marketing": {"consent": "UNSUBSCRIBED"}},
                }
            },
            {"offers": {"email": True, "sms": False}},
        ),
    ],
)
def test_traits_of_platforms_are_answers(traits: dict[str, Any], answer: dict[str, Any]) -> None:
    unread: list[str] = []
    assert answer_of_traits(traits, unread) == answer
    assert unread == []


@pytest.mark.parametrize("traits", [{"accepts_marketing": "hm"}, {"unsubscribed": "2026-01-01"}, {"consent": "hm"}])
def test_a_trait_that_cannot_be_read_is_a_no(traits: dict[str, Any]) -> None:
    answer = answer_of_traits(traits, unread := list[str]())
    assert unread
    assert answer.get("marketing", answer.get("offers", {}).get("email")) is False


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("Email", ("email",)),
        ("E-Mail", ("email",)),
        ("SMS", ("sms",)),
        ("web push", ("push",)),
        ("Notifications", ("push",)),
        ("email,sms", ("email", "sms")),
        (["Email", "sms", "EMAIL"], ("email", "sms")),
        ("all", PREFERENCE_CHANNELS),
        ("*", PREFERENCE_CHANNELS),
        (["email", "All"], PREFERENCE_CHANNELS),
    ],
)
def test_channels_are_read_in_every_spelling(value: object, named: tuple[str, ...]) -> None:
    assert channels_named(value, "channel", unread := list[str]()) == named
    assert unread == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["email", "yes", "no", "all", "marketing", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["marketing", "analytics", "channels", "offers", "consent", "categories", "state", "email", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_answer_is_read_into_a_form_that_is_read_as_itself(said: object) -> None:
    read = read_consent(said, [])
    assert all(type(read[name]) is bool for name in ("marketing", "analytics") if name in read)
    for by_channel in (read.get("channels", {}), read.get("offers", {})):
        assert all(type(word) is bool for word in by_channel.values())
    again = read_consent(read, [])
    assert {name: again.get(name) for name in ("marketing", "analytics", "channels", "offers")} == {
        name: read.get(name) for name in ("marketing", "analytics", "channels", "offers")
    }


@given(
    st.dictionaries(st.sampled_from(["consent", "accepts_marketing", "unsubscribed", "subscriptions", "plan"]), JSON)
)
def test_any_traits_are_read(traits: dict[str, Any]) -> None:
    answer = answer_of_traits(traits, [])
    assert answer_of_traits({"consent": answer}, []) == answer
