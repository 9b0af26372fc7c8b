"""Addresses in people's events: what servers and imports tell of them goes to the ledger of addresses."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import islice
from typing import Final

import structlog

from trigger_worker.deciding.recipient.told_facts import (
    TELLING_EVENTS,
    TOLD_WANTED,
    addresses_at,
    is_telling,
    told_facts,
)
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.address_book import AddressBook
from trigger_worker.people.memory import People
from trigger_worker.people.reading import Scope, read_people
from trigger_worker.people.source import PeopleSource
from trigger_worker.people.state import PersonState
from trigger_worker.store.addresses import (
    ProvenAddress,
    read_proven,
    read_telling,
    store_facts,
    store_sent,
)
from trigger_worker.store.feed import News, read_cursor
from trigger_worker.store.people import Visitor
from trigger_worker.store.records import Records
from trigger_worker.store.sent import PersonMessage
from warehouse.address_ledger import TYPED_CHANNELS, AddressFact, AddressKey, AddressKeys
from warehouse.connection import Warehouse
from warehouse.event import EventRow
from warehouse.threads import Threads

#: Most people who are read together from history, and most addresses of one page.
PAGE: Final = 200
PROVEN_PAGE: Final = 20_000
#: Most people whose events are looked at with one sweep; the others wait for the next.
MAX_TOGETHER: Final = 200
#: Most people whose events wait to be looked at; their own answers hold all the same.
MAX_WAITING: Final = 50_000
#: The name under which it is stored up to when history was read, in ClickHouse's table of cursors.
CURSOR_NAME: Final = "addresses"
#: Rows that are inserted side by side may become visible out of order by so much, ms.
OVERLAP_MS: Final = 10_000

_log = structlog.get_logger("trigger_worker.live.told_addresses")


class ToldAddresses:
    """Brings to the ledger what people's events tell of their addresses.

    Args:
        warehouse: the ClickHouse database.
        keys: turns addresses into keys of the ledger.
        book: the addresses in memory.
        people, source: the people in memory, and those to be read.
        records: stores up to when history was read.
        metrics: counts what had no room.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        keys: AddressKeys,
        book: AddressBook,
        people: People,
        source: PeopleSource,
        records: Records,
        metrics: WorkerMetrics,
    ) -> None:
        self._warehouse = warehouse
        self._keys = keys
        self._book = book
        self._people = people
        self._source = source
        self._records = records
        self._metrics = metrics
        self._threads = Threads("told addresses", 1)
        #: People whose events may tell something new, the earliest first.
        self._waiting: dict[Visitor, None] = {}

    def close(self) -> None:
        """End the thread."""
        self._threads.close()

    def hear(self, rows: Iterable[EventRow]) -> None:
        """Take note of accepted events that may tell of addresses."""
        for row in rows:
            if is_telling(row.event, row.props):
                self._note([Visitor(row.site, row.visitor_id)])

    def find(self, news: Iterable[News]) -> None:
        """Take note of events of the feed that may tell of addresses, and of which the bus did not bring word."""
        for item in news:
            if item.event in TELLING_EVENTS and self._people.events.find(item.identity) is None:
                self._note([item.visitor])

    def _note(self, visitors: Iterable[Visitor]) -> None:
        for visitor in visitors:
            if visitor in self._waiting or len(self._waiting) < MAX_WAITING:
                self._waiting[visitor] = None
            else:
                self._metrics.told_addresses_passed_over.inc()

    async def settle(self, now_ms: int) -> None:
        """Store what the noted events tell.

        Args:
            now_ms: epoch ms.

        Raises:
            WarehouseError: it is not stored, and is tried again.

        Cost: nothing without such events; else as `PeopleSource.of`, and one insert.
        """
        self._metrics.addresses.set(len(self._book))
        visitors = list(islice(self._waiting, MAX_TOGETHER))
        # Before they are read: what is heard of them meanwhile has them read again.
        for visitor in visitors:
            del self._waiting[visitor]
        try:
            people = await self._source.of(visitors, now_ms, TOLD_WANTED)
            facts = [fact for state in {id(one): one for one in people.values()}.values() for fact in self._told(state)]
            self._book.note(facts, now_ms)
            await self._threads.run(store_facts, self._warehouse, facts)
        except BaseException:
            self._note(visitors)
            raise

    async def refill(self, now_ms: int) -> None:
        """Bring to the ledger what was imported since history was read; addresses in memory are read again."""
        await self._threads.run(self._fill, now_ms)
        self._book.doubt()

    def fill_once(self, now_ms: int) -> None:
        """Bring all of history to the ledger, unless an earlier worker has done it; imports tell of themselves later.

        Args:
            now_ms: by the clock that stamps events, epoch ms.

        Raises:
            WarehouseError: ClickHouse does not answer; what was stored until then stays, and is stored again.

        Cost: one query of a small table; the first time two over a few columns of all events, four for each
        `PAGE` of the people whom they name, and an insert for each of these who was sent messages.
        """
        if read_cursor(self._warehouse, CURSOR_NAME) is None:
            self._fill(now_ms)

    def _fill(self, now_ms: int) -> None:
        read_to = read_cursor(self._warehouse, CURSOR_NAME) or 0
        since = max(0, read_to - OVERLAP_MS)
        count = self._fill_proven(since) + self._fill_told(since, now_ms)
        self._records.store_cursor(CURSOR_NAME, 0, now_ms)
        if count:
            _log.info("addresses_filled", facts=count, since_ms=since)

    def _fill_proven(self, since: int) -> int:
        count, last = 0, ProvenAddress()
        while page := read_proven(self._warehouse, since, last, PROVEN_PAGE):
            facts = [fact for one in page for fact in self._confirmed(one)]
            store_facts(self._warehouse, facts)
            count, last = count + len(facts), page[-1]
        return count

    def _fill_told(self, since: int, now_ms: int) -> int:
        count, last = 0, Visitor("", "")
        while visitors := read_telling(self._warehouse, since, last, PAGE):
            people = read_people(self._warehouse, visitors, Scope(TOLD_WANTED), now_ms, now_ms)
            for state in {id(one): one for one in people.values()}.values():
                facts = self._told(state, by_links=not since)
                store_facts(self._warehouse, facts)
                if not since:
                    store_sent(self._warehouse, state.key, self._addressed(state))
                count += len(facts)
            last = visitors[-1]
        return count

    def _confirmed(self, one: ProvenAddress) -> list[AddressFact]:
        keys = (self._keys.of(one.site, "email", one.email), self._keys.of(one.site, "sms", one.phone))
        return [AddressFact(key, "confirmed", one.at, "import") for key in keys if key is not None]

    def _told(self, state: PersonState, *, by_links: bool = False) -> list[AddressFact]:
        offered: dict[str, int] = {}
        for message in state.messages.values():
            sent_at = message.states.get("sent")
            if sent_at is not None and message.message_class == "marketing":
                offered[message.channel] = min(sent_at, offered.get(message.channel, sent_at))
        return told_facts(state.person.site, state.history.events, self._keys, offered, by_links=by_links)

    def _addressed(self, state: PersonState) -> list[tuple[AddressKey, PersonMessage]]:
        """Return the messages that a person was sent by channels with a ledger, each with the address of that time."""
        told = addresses_at(state.history.events)
        found: list[tuple[AddressKey, PersonMessage]] = []
        for message in state.messages.values():
            sent_at = message.states.get("sent")
            theirs = [(at, address) for at, channel, address in told if channel == message.channel]
            if sent_at is None or message.channel not in TYPED_CHANNELS or not theirs:
                continue
            place = bisect_right([at for at, _ in theirs], sent_at)
            key = self._keys.of(state.person.site, message.channel, theirs[max(0, place - 1)][1])
            if key is not None:
                found.append((key, message))
        return found
