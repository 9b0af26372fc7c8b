"""The rows of events that providers' callbacks become."""

from __future__ import annotations

from typing import Any

from collector.feedback.callback_event import callback_event, message_event
from collector.sites import Site
from tests.collector.messages import NOON, props
from warehouse.event import LASTING_DAYS, EventRow
from warehouse.message_token import MessageToken

SITE = Site("shop", "shop-key", retention_days=90)
TOKEN = MessageToken("shop", "m-7", "cart_abandoned", "ada", "sms", variant="plain")


def bounced(**properties: Any) -> EventRow:
    """Return the event that a mailbox of Ada's does not exist, with these properties."""
    return callback_event("email_bounced", SITE, "ada", ("w-1", "hard"), NOON, properties)


def test_a_callback_without_a_message_becomes_this_row() -> None:
    assert bounced(rule="", channel="email", address="a@b.example", kind="hard", reason="") == EventRow(
        site="shop",
        event="email_bounced",
        type="track",
        event_id="f25fb67b-6562-50d5-99d9-95d266539608",
        visitor_id="ada",
        ts="2026-11-22 12:00:00.000",
        received_at="2026-11-22 12:00:00.000",
        source="live",
        props='{"channel":"email","address":"a@b.example","kind":"hard"}',
        retention_days=LASTING_DAYS,
    )


def test_a_callback_about_a_message_becomes_this_row() -> None:
    assert message_event("message_failed", TOKEN, SITE, NOON, "failed 30003") == EventRow(
        site="shop",
        event="message_failed",
        type="track",
        event_id="ccc398bb-c475-5602-9b8f-e5a3514e1512",
        visitor_id="ada",
        ts="2026-11-22 12:00:00.000",
        received_at="2026-11-22 12:00:00.000",
        source="live",
        message_id="m-7",
        props='{"rule":"cart_abandoned","variant":"plain","channel":"sms","reason":"failed 30003"}',
        retention_days=90,
    )


def test_the_same_callback_makes_the_same_event_whatever_its_time_and_properties() -> None:
    later = callback_event("email_bounced", SITE, "ada", ("w-1", "hard"), NOON + 60_000, {"reason": "still full"})
    assert later.event_id == bounced().event_id
    for name, visitor, identity in (
        ("email_complained", "ada", ("w-1", "hard")),
        ("email_bounced", "bob", ("w-1", "hard")),
        ("email_bounced", "ada", ("w-2", "hard")),
    ):
        assert callback_event(name, SITE, visitor, identity, NOON, {}).event_id != later.event_id


def test_text_from_outside_is_cut_to_what_a_column_holds() -> None:
    assert props(bounced(reason="x" * 2000)) == {"reason": "x" * 1024}


def test_a_refusal_of_a_channel_is_kept() -> None:
    row = callback_event("consent", SITE, "ada", ("SM1",), NOON, {"channels": {"sms": False}, "source": "sms_reply"})
    assert row.props == '{"channels":{"sms":false},"source":"sms_reply"}'
    assert (row.event_id, row.retention_days) == ("ab41c455-41b1-5675-97ea-5666417af764", LASTING_DAYS)


def test_a_refusal_of_offers_is_kept() -> None:
    row = callback_event("consent", SITE, "ada", ("SM1",), NOON, {"marketing": False, "reason": "", "source": None})
    assert row.props == '{"marketing":false}'
