"""The addresses in memory."""

from __future__ import annotations

import pytest

from tests.trigger_worker.stored import NOON, queued
from trigger_worker.people import address_book
from trigger_worker.people.address_book import FRESH_MS, PINNED_MS, AddressBook, AddressSource
from trigger_worker.store.addresses import AddressHistory
from trigger_worker.store.message import MessageRecord
from warehouse.address_ledger import AddressFact, AddressKey, Standing
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseUnavailable

ANN = AddressKey("shop", "email", "ann")
BOB = AddressKey("shop", "email", "bob")


class Away:
    """ClickHouse that does not answer."""

    def query(self, *_: object) -> list[tuple[object, ...]]:
        raise WarehouseUnavailable("ClickHouse is away")


def read(**changes: int) -> dict[AddressKey, AddressHistory]:
    return {ANN: AddressHistory(Standing(changes.items()))}  # type: ignore[arg-type]


def test_what_was_noted_before_an_address_is_read_stays_known() -> None:
    book = AddressBook()
    book.note([AddressFact(ANN, "left", NOON)], NOON)
    assert book.unknown([ANN, BOB]) == [ANN, BOB]
    book.receive(read(returned=NOON - 1), NOON)
    assert book.standing(ANN).left
    assert book.unknown([ANN, BOB]) == [BOB]


def test_a_message_that_was_noted_and_read_counts_once() -> None:
    book = AddressBook()
    record = MessageRecord(queued(channel="email"), "sent", NOON, addresses=("ann",))
    book.note_sent([record], NOON)
    book.receive({ANN: AddressHistory()}, NOON)
    assert list(book.sent(ANN, NOON - 1)) == ["message-1"]
    assert book.sent(ANN, NOON) == {}


def test_what_was_read_long_ago_is_read_again_and_what_may_be_missed_at_once() -> None:
    book = AddressBook()
    book.receive(read(), NOON)
    assert book.outdated([ANN], NOON + FRESH_MS) == []
    assert book.outdated([ANN], NOON + FRESH_MS + 1) == [ANN]
    book.doubt()
    assert book.outdated([ANN], NOON) == [ANN]
    assert book.unknown([ANN]) == []


async def test_while_clickhouse_is_away_what_is_known_goes_on_to_hold() -> None:
    source = AddressSource(Away(), AddressBook())
    source.book.receive(read(bounced=NOON), NOON)
    await source.bring([ANN], NOON + 10 * FRESH_MS)
    assert source.book.standing(ANN).suppressed == "bounced"
    with pytest.raises(WarehouseUnavailable):
        await source.bring([ANN, BOB], NOON + 10 * FRESH_MS)


def test_no_fact_that_clickhouse_may_not_show_yet_is_forgotten_to_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_book, "MAX_ADDRESSES", 3)
    book = AddressBook()
    book.note([AddressFact(ANN, "refused", NOON)], NOON)
    others = [AddressKey("shop", "email", f"other-{number}") for number in range(20)]
    for key in others:
        book.receive({key: AddressHistory()}, NOON)
    assert len(book) == 3
    assert book.standing(ANN).refused
    for key in others:
        book.receive({key: AddressHistory()}, NOON + PINNED_MS + 1)
    assert book.unknown([ANN]) == [ANN]


async def test_an_address_is_read_with_its_facts_and_messages(warehouse: Warehouse) -> None:
    source = AddressSource(warehouse, AddressBook())
    await source.bring([ANN, BOB], NOON)
    assert (source.book.standing(ANN).facts, source.book.sent(ANN, 0)) == ({}, {})
