"""What is stored about messages, and who knows of it when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.trigger_worker.stored import NOON, fire, person, queued, visitor
from trigger_worker.delivery import ledger as module
from trigger_worker.delivery.ledger import Ledger
from trigger_worker.people.address_book import AddressBook
from trigger_worker.people.memory import People
from trigger_worker.people.state import PersonState
from trigger_worker.store.decisions import DecisionRecord
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.message_event import occurrence
from trigger_worker.store.row_log import WorkerRows
from warehouse.errors import JournalError
from warehouse.event import EventRow


class Disk:
    """A log that remembers what it was given, and a ledger that stores there.

    Args:
        troubles: how many appends it refuses first.
    """

    def __init__(self, troubles: int = 0) -> None:
        self.troubles = troubles
        self.appended: list[WorkerRows] = []
        self.tried = 0
        self.told: list[EventRow] = []
        self.known_while_storing: list[bool] = []
        self.people = People()
        self.people.receive({visitor(): PersonState(person("anna"))})
        self.ledger = Ledger(self, self.people, AddressBook(), self._tell, lambda: NOON)

    async def append(self, rows: WorkerRows, now_ms: int) -> None:
        assert now_ms == NOON
        self.tried += 1
        self.known_while_storing.append(self.is_known())
        if self.troubles:
            self.troubles -= 1
            raise JournalError("the disk is full")
        self.appended.append(rows)

    async def until_shared(self, at: int) -> None:
        """Return at once: whoever works next has the same rows."""

    def oldest_at(self) -> int | None:
        return None

    def is_known(self) -> bool:
        """Tell whether memory knows of the message `a`, in the state and among what the tables do not show yet."""
        state = self.people.find(visitor())
        unstored = list(self.people.writes.of(person("anna")))
        return state is not None and "a" in state.messages and len(state.fires) == 1 and len(unstored) == 3

    def _tell(self, events: Sequence[EventRow], at: int) -> None:
        assert at == NOON
        assert len(self.appended) == 1, "told of before it was durable"
        self.told += events


ROWS = WorkerRows(
    messages=[MessageRecord(queued("a"), "sent", NOON)],
    decisions=[DecisionRecord(queued("a"), "send", "passed", {}, NOON)],
    fires=[fire()],
)


async def test_rows_and_the_events_that_they_become_are_stored_together_and_then_told_of() -> None:
    disk = Disk()
    await disk.ledger.store(ROWS)
    (stored,) = disk.appended
    assert (stored.messages, stored.decisions, stored.fires) == (ROWS.messages, ROWS.decisions, ROWS.fires)
    assert [(event.event, event.message_id) for event in stored.events] == [("message_sent", "a")]
    assert disk.told == stored.events


async def test_memory_knows_of_rows_as_soon_as_they_are_on_their_way() -> None:
    disk = Disk()
    await disk.ledger.store(ROWS)
    assert disk.known_while_storing == [True]
    assert disk.is_known()


async def test_what_the_disk_refuses_is_forgotten_and_not_told_of_and_its_people_are_read_anew() -> None:
    disk = Disk(troubles=1)
    with pytest.raises(JournalError):
        await disk.ledger.store(ROWS)
    assert (disk.appended, disk.told) == ([], [])
    assert disk.people.find(visitor()) is None
    assert list(disk.people.writes.of(person("anna"))) == []


async def test_an_outcome_waits_for_the_disk_and_is_stored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)
    disk = Disk(troubles=3)
    await disk.ledger.store_outcome(ROWS.messages[0])
    assert disk.tried == 4
    (stored,) = disk.appended
    assert stored.messages == [ROWS.messages[0]]
    assert [event.message_id for event in disk.told] == ["a"]
    assert len(list(disk.people.writes.of(person("anna")))) == 1


async def test_events_of_states_that_were_stored_without_them_are_stored_and_told_of() -> None:
    disk = Disk()
    await disk.ledger.announce([occurrence(ROWS.messages[0])])
    (stored,) = disk.appended
    assert ([event.message_id for event in stored.events], list(stored.messages)) == (["a"], [])
    assert disk.told == stored.events


async def test_where_nothing_is_untold_nothing_is_stored() -> None:
    disk = Disk()
    await disk.ledger.announce([])
    await disk.ledger.announce([occurrence(MessageRecord(queued("a"), "pending", NOON))])
    assert disk.tried == 0
