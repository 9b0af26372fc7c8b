"""What pages say about their push subscriptions."""

from __future__ import annotations

import base64

import pytest

from trigger_worker.deciding.recipient.push_subscription import (
    MAX_SUBSCRIPTIONS,
    PushSubscription,
    live_subscriptions,
    read_subscription,
)
from trigger_worker.rules.evaluate.event import Event

KEY = base64.urlsafe_b64encode(b"\x04" + b"k" * 64).rstrip(b"=").decode()
SECRET = base64.urlsafe_b64encode(b"s" * 16).rstrip(b"=").decode()


def event(name: str, **fields: object) -> Event:
    return Event(name, 0, "e", fields)


def subscribed(endpoint: object = "https://push.example/1", **changes: object) -> Event:
    return event("push_subscribed", **{"endpoint": endpoint, "p256dh": KEY, "auth": SECRET, **changes})


def revoked(endpoint: str) -> Event:
    return event("push_unsubscribed", endpoint=endpoint)


def endpoints(*events: Event) -> list[str]:
    return [subscription.endpoint for subscription in live_subscriptions(events)]


def test_the_latest_subscription_comes_first_and_revoked_ones_are_gone() -> None:
    events = [subscribed("https://p/1"), subscribed("https://p/2"), subscribed("https://p/3"), revoked("https://p/2")]
    assert endpoints(*events) == ["https://p/3", "https://p/1"]
    assert endpoints(*events, subscribed("https://p/1")) == ["https://p/1", "https://p/3"]
    assert endpoints(*events, subscribed("https://p/2")) == ["https://p/2", "https://p/3", "https://p/1"]


def test_the_latest_word_on_the_keys_counts() -> None:
    other = base64.urlsafe_b64encode(b"t" * 16).decode()
    (subscription,) = live_subscriptions([subscribed(), subscribed(auth=other)])
    assert subscription.secret == b"t" * 16


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": None},
        {"endpoint": ""},
        {"endpoint": 7},
        {"endpoint": "https://push.example/" + "x" * 1000},
        {"endpoint": "https://push.example/\r\nHost: evil"},
        {"endpoint": "https://püsh.example/"},
        {"p256dh": ""},
        {"p256dh": KEY[:-4]},
        {"p256dh": "!" * 87},
        {"p256dh": ["x"]},
        {"auth": ""},
        {"auth": SECRET + "AAAA"},
        {"auth": "grüße"},
        {"auth": None},
    ],
)
def test_what_is_no_subscription_is_passed_over(changes: dict[str, object]) -> None:
    assert live_subscriptions([subscribed(**changes)]) == ()


def test_a_page_that_makes_up_subscriptions_gets_no_more_than_the_bound() -> None:
    made_up = [subscribed(f"https://p/{number}") for number in range(1000)]
    assert endpoints(*made_up) == [f"https://p/{number}" for number in range(999, 999 - MAX_SUBSCRIPTIONS, -1)]


def test_what_is_no_word_on_subscriptions_is_passed_over() -> None:
    assert endpoints(subscribed("https://p/1"), event("purchase", endpoint="https://p/1")) == ["https://p/1"]


def test_a_subscription_survives_being_an_address() -> None:
    subscription = PushSubscription("https://push.example/1", KEY + "=", SECRET)
    assert read_subscription(subscription.text()) == subscription
    assert (subscription.public_key, subscription.secret) == (b"\x04" + b"k" * 64, b"s" * 16)
