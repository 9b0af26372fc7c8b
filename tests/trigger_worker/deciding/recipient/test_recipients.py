"""Where people can be reached."""

from __future__ import annotations

import pytest

from tests.trigger_worker.stored import NOON, person
from trigger_worker.deciding.recipient.profile import Profile, build_profile
from trigger_worker.deciding.recipient.push_subscription import PushSubscription, read_subscription
from trigger_worker.deciding.recipient.recipients import Recipients, browsers
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.store.people import Person

KEY, SECRET = "B" + "A" * 86, "A" * 22


def profile(*events: Event) -> Profile:
    return build_profile("anna", History(events), NOON)


def event(name: str, **fields: object) -> Event:
    return Event(name, NOON, "e", fields)


IDENTIFIED = event("identify", traits={"email": "anna@example.com", "phone": "+49 (0)151 123-456 78"})
SUBSCRIBED = event("push_subscribed", endpoint="https://push.example/1", p256dh=KEY, auth=SECRET)


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("banner", ("phone", "laptop")),
        ("email", ("anna@example.com",)),
        ("sms", ("+4915112345678",)),
        ("webhook", ("https://hook.example",)),
        ("chat", ("#sales",)),
        ("pigeon", ()),
    ],
)
def test_each_channel_has_its_own_addresses(channel: str, expected: tuple[str, ...]) -> None:
    recipients = Recipients({"webhook": "https://hook.example", "chat": "#sales"})
    assert recipients.of(channel, person("anna", "phone", "laptop"), profile(IDENTIFIED)) == expected


@pytest.mark.parametrize("channel", ["email", "sms", "push", "webhook", "chat"])
def test_who_left_no_address_can_only_be_shown_banners(channel: str) -> None:
    recipients = Recipients({"chat": ""})
    assert recipients.of(channel, person("anna"), profile()) == ()
    assert recipients.of("banner", person("anna"), profile()) == ("anna",)


def test_notifications_go_to_the_subscriptions_of_the_persons_browsers() -> None:
    (text,) = Recipients({}).of("push", person("anna"), profile(SUBSCRIBED))
    assert read_subscription(text) == PushSubscription("https://push.example/1", KEY, SECRET)


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (person("u1", "laptop", "phone"), ("laptop", "phone")),
        (person("u1", "phone"), ("phone",)),
        (person("anonymous"), ("anonymous",)),
    ],
)
def test_banners_go_to_browsers_and_never_to_a_known_persons_own_id(who: Person, expected: tuple[str, ...]) -> None:
    assert browsers(who) == expected
