"""What the journal moves: the tables, and the batches in which their rows go to ClickHouse."""

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
    """

    number: int
    name: str
    into: str
    month: str
    busy_seconds: float


class Batch(msgspec.Struct, frozen=True):
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


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that ClickHouse cannot take, with ClickHouse's reason."""

    line: bytes
    reason: str


EVENTS: Final = JournalTable(1, "events", "events", "ts", 0.5)
FIRES: Final = JournalTable(2, "fires", "fires", "at", 1.0)
DECISIONS: Final = JournalTable(3, "decisions", "decisions", "decided_at", 1.0)
MESSAGES: Final = JournalTable(4, "messages", "messages", "due_at", 1.0)
#: Events that the worker itself makes, such as `message_sent`: they do not wait behind those of visitors.
OWN_EVENTS: Final = JournalTable(5, "own_events", "events", "ts", 1.0)
TABLES: Final = (EVENTS, FIRES, DECISIONS, MESSAGES, OWN_EVENTS)
