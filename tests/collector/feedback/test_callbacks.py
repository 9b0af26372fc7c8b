"""The visitors that provider callbacks name, on each engine, and the rows of events that callbacks become."""

from __future__ import annotations

from typing import Any

import pytest

from collector.feedback.callbacks import Owner, callback_event, message_event, owner_of_message, owners_of_address
from collector.sites import Site
from tests.collector.messages import NOON, props
from tests.trigger_worker.stored import event_row, queued, store
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse
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


@pytest.mark.parametrize("written", ["+4915112345678", "0049 151 12345678", " +49 (0)151/123-456.78 "])
def test_a_number_is_found_however_its_visitor_wrote_it(warehouse: Warehouse, written: str) -> None:
    store(warehouse, event_row("identify", "ada", traits={"phone": written}))
    store(warehouse, event_row("identify", "bob", traits={"phone": "+4915112345679", "email": "+4915112345678"}))
    assert owners_of_address(warehouse, "phone", "+4915112345678") == [Owner("shop", "ada")]


def test_the_latest_word_counts_and_one_without_the_address_changes_nothing(warehouse: Warehouse) -> None:
    said = {"first": {"email": "Ada.M@Example.com"}, "second": {"plan": "pro"}}
    for number, traits in enumerate(said.values()):
        store(warehouse, event_row("identify", "ada", NOON + number, traits=traits))
    assert owners_of_address(warehouse, "email", "ada.m@example.com") == [Owner("shop", "ada")]
    store(warehouse, event_row("identify", "ada", NOON + 9, traits={"email": "ada@elsewhere.example"}))
    assert owners_of_address(warehouse, "email", "ada.m@example.com") == []


def test_an_address_that_is_a_pattern_or_a_statement_is_only_an_address(warehouse: Warehouse) -> None:
    store(warehouse, event_row("identify", "ada", traits={"phone": "+4915112345678"}))
    for address in ("%", "", "' OR 1 = 1 --", ".*"):
        assert owners_of_address(warehouse, "phone", address) == []


def test_a_message_leads_to_its_visitor_and_rule(warehouse: Warehouse) -> None:
    Records(warehouse).store_messages([MessageRecord(queued("m-7", visitor_id="ada"), "sent", NOON)])
    assert owner_of_message(warehouse, "m-7") == [Owner("shop", "ada", "lingers")]
    assert owner_of_message(warehouse, "m-8") == []
