"""Whom an address or a message id leads to, on each engine."""

from __future__ import annotations

import pytest

from collector.feedback.callback_visitors import Owner, owner_of_message, owners_of_address
from tests.trigger_worker.stored import NOON, event_row, queued, store
from trigger_worker.store.records import MessageRecord, Records
from warehouse.connection import Warehouse


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
