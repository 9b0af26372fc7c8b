"""Writes what readers and providers say of an address to the ledger of addresses, before anybody looks for visitors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from collector.sites import Sites
from warehouse.address_ledger import LEDGER_CHANNELS, AddressFact, AddressKey, AddressKeys, Fact, Standing, spoken_by
from warehouse.connection import Warehouse
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.tables import ADDRESS_FACTS
from warehouse.message_token import MessageToken
from warehouse.queries import read_sql

#: Called with facts that are on disk.
FactsNoted = Callable[[Sequence[AddressFact]], None]

#: The facts that each end of an email gives for its address; one that may work later gives none.
FACT_OF_REPORT: Final[Mapping[str, Fact]] = {"hard": "bounced", "complaint": "complained"}
#: The facts that each reply to a text message gives for its sender.
FACTS_OF_INTENT: Final[Mapping[Literal["leave", "return"], tuple[Fact, ...]]] = {
    "leave": ("left", "refused"),
    "return": ("allowed", "returned"),
}
_encode = msgspec.json.Encoder().encode


class AddressNotes:
    """Notes facts of addresses; when a call returns, they are on disk.

    Args:
        keys: turns addresses into keys of the ledger.
        sites: the sites; what a provider says of an address holds for all of them, as one sender writes for all.
        journal: keeps the facts until ClickHouse has them.
        noted: called with facts that are on disk, so that a worker knows of them at once.
    """

    def __init__(self, keys: AddressKeys, sites: Sites, journal: JournalThread, noted: FactsNoted) -> None:
        self._keys = keys
        self._sites = sites
        self._journal = journal
        self._noted = noted

    async def note_of_address(
        self, channel: str, address: str, facts: Iterable[Fact], source: str, now_ms: int
    ) -> None:
        """Note facts of an address on every site.

        Args:
            channel: the channel that leads to the address.
            address: however it is written; one that is none is passed over.
            facts: the facts.
            source: who says so.
            now_ms: epoch ms.

        Raises:
            JournalError: nothing was noted.
        """
        keys = [self._keys.of(site.name, channel, address) for site in self._sites]
        await self._note((key for key in keys if key is not None), facts, source, now_ms)

    async def note_of_keys(self, keys: Iterable[AddressKey], facts: Iterable[Fact], source: str, now_ms: int) -> None:
        """Note facts of addresses that are known by their keys.

        Raises:
            JournalError: nothing was noted.
        """
        await self._note(keys, facts, source, now_ms)

    async def note_answer(
        self, token: MessageToken, keys: Iterable[AddressKey], answer: Mapping[str, Any], source: str, now_ms: int
    ) -> None:
        """Note the answer of whoever reads a message, for the addresses that it was sent to.

        Args:
            token: the message.
            keys: its addresses.
            answer: `marketing` and `channels`, as in the event `consent`.
            source: the page or program that it came by.
            now_ms: epoch ms.

        Raises:
            JournalError: nothing was noted.
        """
        await self._note(keys, spoken_by(answer, token.channel), source, now_ms)

    async def _note(self, keys: Iterable[AddressKey], facts: Iterable[Fact], source: str, now_ms: int) -> None:
        said = list(facts)
        noted = [AddressFact(key, fact, now_ms, source) for key in keys for fact in said]
        if noted:
            await self._journal.append_async(ADDRESS_FACTS, [_encode(fact.row()) for fact in noted], now_ms)
            self._noted(noted)


def address_in_link(token: MessageToken) -> list[AddressKey] | None:
    """Return the addresses of a message as far as its link names them; None where they have to be looked up."""
    if token.channel not in LEDGER_CHANNELS:
        return []
    return [AddressKey(token.site, token.channel, token.address)] if token.address else None


def addresses_of_message(warehouse: Warehouse, token: MessageToken) -> list[AddressKey]:
    """Return the addresses that a message was sent to, by their keys; none for a channel without a ledger.

    Cost: nothing where the token names the address; else one query that reads the message ids of a channel.

    Raises:
        WarehouseError: ClickHouse did not answer.
    """
    named = address_in_link(token)
    if named is not None:
        return named
    parameters = {"site": token.site, "channel": token.channel, "message_id": token.message_id}
    rows = warehouse.query(read_sql("collector", "message_addresses"), parameters)
    return [AddressKey(token.site, token.channel, address) for (address,) in rows]


def read_standing(warehouse: Warehouse, key: AddressKey) -> Standing:
    """Return what is known of an address.

    Cost: one query, by key.

    Raises:
        WarehouseError: ClickHouse did not answer.
    """
    parameters = {"site": key.site, "channel": key.channel, "address": key.address}
    return Standing(warehouse.query(read_sql("collector", "address_facts"), parameters))
