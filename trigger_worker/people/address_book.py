"""The addresses in memory: what the ledger holds of them, and what ClickHouse does not show yet."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from trigger_worker.people.reading import FACTS_MS
from trigger_worker.store.addresses import AddressHistory, read_addresses
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.sent import PersonMessage, SentMessage
from warehouse.address_ledger import AddressFact, AddressKey, Standing
from warehouse.errors import WarehouseError
from warehouse.event import EventRow
from warehouse.queries import Queries
from warehouse.threads import Threads
from warehouse.vocabulary import OUTCOME_STATES

#: Most addresses that are kept; the others are in ClickHouse. One takes about a kilobyte.
MAX_ADDRESSES: Final = 100_000
#: What was read is asked again after so long: a collector that died may have told nobody of what it noted.
FRESH_MS: Final = 600_000
#: What was noted here stays in memory so long, at least: ClickHouse may not show it yet.
PINNED_MS: Final = 6 * 3_600_000
#: Most addresses that are looked at to make room for one.
_MOST_PASSED_OVER: Final = 100


class _Entry(msgspec.Struct):
    """One address in memory.

    Args:
        history: what is known of it.
        read_at: when it was read last, epoch ms; 0 when it never was, so that nothing may be decided by it.
        noted_at: when something about it was noted here last, epoch ms.
    """

    history: AddressHistory
    read_at: int = 0
    noted_at: int = 0


class AddressBook:
    """The addresses that messages went to of late, or are about to go to."""

    def __init__(self) -> None:
        self._entries: OrderedDict[AddressKey, _Entry] = OrderedDict()
        #: By message that was sent, its addresses: the outcome of a message names no address.
        self._addressed: OrderedDict[str, tuple[AddressKey, ...]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def standing(self, key: AddressKey) -> Standing:
        """Return what is known of an address; nothing of one that was not read."""
        entry = self._entries.get(key)
        return Standing() if entry is None else entry.history.standing

    def sent(self, key: AddressKey, since: int) -> dict[str, SentMessage]:
        """Return, by id, the messages that an address was sent after `since` (epoch ms)."""
        entry = self._entries.get(key)
        messages = {} if entry is None else entry.history.messages
        return {id_: sent for id_, message in messages.items() if (sent := message.as_sent(since)) is not None}

    def outdated(self, keys: Iterable[AddressKey], now_ms: int) -> list[AddressKey]:
        """Return the addresses that have to be read before they are decided on.

        Args:
            keys: some addresses.
            now_ms: epoch ms.
        """
        entries = ((key, self._entries.get(key)) for key in keys)
        return [key for key, entry in entries if entry is None or entry.read_at < now_ms - FRESH_MS]

    def unknown(self, keys: Iterable[AddressKey]) -> list[AddressKey]:
        """Return the addresses that were never read."""
        return [key for key in keys if (entry := self._entries.get(key)) is None or not entry.read_at]

    def receive(self, read: dict[AddressKey, AddressHistory], now_ms: int) -> None:
        """Keep what was read, with what was noted here and may not be shown yet.

        Args:
            read: what ClickHouse shows.
            now_ms: when the reading began, epoch ms.
        """
        for key, history in read.items():
            entry = self._entry(key)
            for fact, at in history.standing.facts.items():
                entry.history.standing.take(fact, at)
            entry.history.messages = {**history.messages, **_merged(history.messages, entry.history.messages)}
            entry.read_at = now_ms
        self._make_room(now_ms)

    def note(self, facts: Iterable[AddressFact], now_ms: int) -> None:
        """Note facts that are on disk, at `now_ms` (epoch ms)."""
        for fact in facts:
            entry = self._entry(fact.key)
            entry.history.standing.take(fact.fact, fact.at)
            entry.noted_at = max(now_ms, entry.noted_at)

    def note_sent(self, records: Iterable[MessageRecord], now_ms: int) -> None:
        """Note the messages that went to addresses, as they are stored at `now_ms` (epoch ms)."""
        for record in records:
            message = record.message
            keys = tuple(AddressKey(message.site, message.channel, address) for address in record.addresses)
            for key in keys:
                entry = self._entry(key)
                entry.noted_at = now_ms
                known = entry.history.messages.setdefault(message.message_id, _person_message(record))
                known.reach(record.state, record.at)
            if keys:
                self._addressed[message.message_id] = keys

    def hear(self, rows: Iterable[EventRow], at: int) -> None:
        """Note what became of messages, as events tell that were accepted at `at` (epoch ms)."""
        for row in rows:
            state = OUTCOME_STATES.get(row.event)
            keys = self._addressed.get(row.message_id, ()) if state is not None else ()
            for key in keys:
                message = self._entry(key).history.messages.get(row.message_id)
                if message is not None and state is not None and '"machine":true' not in row.props:
                    message.reach(state, at)

    def doubt(self) -> None:
        """Have every address read again before it is decided on: something may have been missed."""
        for entry in self._entries.values():
            entry.read_at = min(entry.read_at, 1)

    def _entry(self, key: AddressKey) -> _Entry:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(AddressHistory())
        self._entries.move_to_end(key)
        return entry

    def _make_room(self, now_ms: int) -> None:
        """Forget the addresses used longest ago; ClickHouse has what is known of them."""
        passed_over = 0
        while len(self._entries) > MAX_ADDRESSES and passed_over < _MOST_PASSED_OVER:
            key, entry = next(iter(self._entries.items()))
            if entry.noted_at > now_ms - PINNED_MS:
                self._entries.move_to_end(key)
                passed_over += 1
            else:
                del self._entries[key]
        while len(self._addressed) > MAX_ADDRESSES:
            self._addressed.popitem(last=False)


class AddressSource:
    """The addresses in memory, and in ClickHouse.

    Args:
        queries: the ClickHouse database.
        book: the addresses in memory.
    """

    def __init__(self, queries: Queries, book: AddressBook) -> None:
        self._queries = queries
        self.book = book
        self._threads = Threads("addresses", 1)

    def close(self) -> None:
        """End the thread."""
        self._threads.close()

    async def bring(self, keys: Collection[AddressKey], now_ms: int) -> None:
        """Return once each address is in memory as far as it can be known.

        While ClickHouse is away, what was read before goes on to hold, with all that was noted since.

        Args:
            keys: the addresses.
            now_ms: epoch ms.

        Raises:
            WarehouseError: an address that was never read cannot be.

        Cost: nothing for addresses that were read of late; else as `read_addresses`.
        """
        outdated = self.book.outdated(keys, now_ms)
        if not outdated:
            return
        try:
            read = await self._threads.run(read_addresses, self._queries, outdated, now_ms - FACTS_MS)
        except WarehouseError:
            if self.book.unknown(outdated):
                raise
            return
        self.book.receive(read, now_ms)


def closed_for(standing: Standing, *, marketing: bool) -> bool:
    """Tell whether nothing of a class may go to an address."""
    return bool(standing.suppressed) or standing.refused or (marketing and standing.left)


def _person_message(record: MessageRecord) -> PersonMessage:
    message = record.message
    return PersonMessage(
        message.message_id,
        message.fire_id,
        message.channel,
        message.rule,
        frozenset(message.tags),
        message.message_class,
        {},
    )


def _merged(read: dict[str, PersonMessage], noted: dict[str, PersonMessage]) -> dict[str, PersonMessage]:
    """Return the messages that were noted here, each with the states that were read of it."""
    for message_id, message in noted.items():
        for state, at in read[message_id].states.items() if message_id in read else ():
            message.reach(state, at)
    return noted


#: What is heard of addresses by the bus.
Facts = Sequence[AddressFact]
