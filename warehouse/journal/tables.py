"""The tables that a journal moves, the batches in which their rows go to ClickHouse, and the bounds of a journal."""

from __future__ import annotations

from typing import Final

import msgspec


class JournalTable(msgspec.Struct, frozen=True):
    """One stream of rows of the journal, which moves to its ClickHouse table independently of the others.

    Args:
        number: the stream's number in the journal's files; never reused for another stream.
        name: the stream's name in logs and metrics.
        into: the ClickHouse table that the rows are inserted into.
        month: the column whose month is the table's partition.
        busy_seconds: least seconds between the beginnings of two inserts while rows keep arriving.
        loaded_seconds: the same under load, when many rows wait.
    """

    number: int
    name: str
    into: str
    month: str
    busy_seconds: float
    loaded_seconds: float


class JournalBatch(msgspec.Struct, frozen=True):
    """Rows that go to ClickHouse together, the same ones under the same token until they are in.

    Args:
        table: whose rows they are.
        token: names the batch.
        first: number of the first row.
        end: number behind the last row.
        lines: the rows as JSON objects.
    """

    table: JournalTable
    token: str
    first: int
    end: int
    lines: list[bytes]


class RowSetAside(msgspec.Struct, frozen=True):
    """A row that ClickHouse cannot take, with ClickHouse's reason."""

    line: bytes
    reason: str


EVENTS: Final = JournalTable(1, "events", "events", "ts", 0.5, 2.0)
FIRES: Final = JournalTable(2, "fires", "fires", "at", 1.0, 2.0)
DECISIONS: Final = JournalTable(3, "decisions", "decisions", "decided_at", 1.0, 2.0)
MESSAGES: Final = JournalTable(4, "messages", "messages", "due_at", 1.0, 2.0)
#: Events that the worker itself makes, such as `message_sent`: they do not wait behind those of visitors.
OWN_EVENTS: Final = JournalTable(5, "own_events", "events", "ts", 1.0, 2.0)
#: Facts of addresses, such as a STOP, as they come back from readers and providers.
ADDRESS_FACTS: Final = JournalTable(6, "address_facts", "address_facts", "at", 1.0, 2.0)
#: What senders do wrong, counted.
FAULTS: Final = JournalTable(7, "faults", "faults", "slot", 1.0, 2.0)
TABLES: Final = (EVENTS, FIRES, DECISIONS, MESSAGES, OWN_EVENTS, ADDRESS_FACTS, FAULTS)


def event_key(site: str, visitor_id: str, event_id: str) -> bytes:
    """Return the key by which an event is recognised when it is sent again.

    The visitor is part of it: senders choose ids of events, and nobody may use up the id of another visitor's event.
    """
    return f"{site}\0{visitor_id}\0{event_id}".encode()


class JournalLimits(msgspec.Struct, frozen=True):
    """What a journal may hold.

    Args:
        max_bytes: most bytes on disk; beyond it rows are refused.
        max_age_ms: rows are refused while the oldest waiting one is older.
        memory_bytes: most bytes of waiting rows in memory; the others are read back from disk.
        segment_bytes: size of one file.
    """

    max_bytes: int = 4 * 1024**3
    max_age_ms: int = 7 * 86_400_000
    memory_bytes: int = 64 * 1024**2
    segment_bytes: int = 16 * 1024**2

    def refusal(self, size: int, age_ms: int) -> str:
        """Return why a journal can take no more rows, or "" when it can.

        Args:
            size: bytes on disk, with the rows that are to be taken.
            age_ms: how long the oldest row has waited.
        """
        if size > self.max_bytes:
            return f"the journal holds the {self.max_bytes} bytes that it may, which wait for ClickHouse"
        if age_ms > self.max_age_ms:
            return f"rows have waited for ClickHouse for {age_ms // 3_600_000} h, the longest they may"
        return ""


DEFAULT_LIMITS: Final = JournalLimits()
