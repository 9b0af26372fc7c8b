"""Inserts rows of which some may be refused, without holding back the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

import msgspec

from warehouse.errors import RowsRefused, WarehouseError
from warehouse.journal.tables import JournalTable, RowSetAside
from warehouse.queries import Inserts

#: More refused rows than this, in one batch, are no matter of rows: tables of another version refuse everything.
MAX_REFUSED_ROWS: Final = 100
#: Most months in one insert. Each is a partition, and ClickHouse refuses inserts into more than a hundred.
MAX_MONTHS: Final = 12


def insert_rows(warehouse: Inserts, table: JournalTable, lines: Sequence[bytes], token: str) -> list[RowSetAside]:
    """Insert rows, and return those that ClickHouse cannot take.

    Rows of more than `MAX_MONTHS` months are inserted by groups of months. A refused insert is halved until the rows
    to blame are alone: about 2 log2(n) inserts for each of them. The parts' tokens follow from the batch's, so a
    repeat after a crash is parted the same way and stores nothing twice.

    Args:
        warehouse: where to.
        table: whose rows they are.
        lines: rows as JSON objects.
        token: names the batch.

    Raises:
        WarehouseUnavailable: ClickHouse cannot answer just now.
        WarehouseError: it refused something other than rows, or so many of them that the fault is not theirs.
    """
    refused: list[RowSetAside] = []
    waiting = _by_months(table, lines, token)
    while waiting:
        name, rows = waiting.pop()
        try:
            warehouse.insert_lines(table.into, b"\n".join(rows), name)
        except RowsRefused as error:
            if len(rows) > 1:
                middle = len(rows) // 2
                waiting += [(f"{name}.1", rows[middle:]), (f"{name}.0", rows[:middle])]
            else:
                refused.append(RowSetAside(rows[0], error.message))
        if len(refused) > MAX_REFUSED_ROWS:
            raise WarehouseError(
                f"ClickHouse refuses rows of {table.into} by the hundred, the last one so: {refused[-1].reason}",
                "see that every collector runs the version of Micromoment that last migrated the tables",
            )
    return refused


def _by_months(table: JournalTable, lines: Sequence[bytes], token: str) -> list[tuple[str, list[bytes]]]:
    """Return the parts of a batch, the last one first; each has its token and its rows."""
    if len(lines) <= MAX_MONTHS:
        return [(token, list(lines))]
    month_of = _month_reader(table.month)
    months = [month_of(line) for line in lines]
    distinct = sorted(set(months))
    if len(distinct) <= MAX_MONTHS:
        return [(token, list(lines))]
    group_of = {month: place // MAX_MONTHS for place, month in enumerate(distinct)}
    groups: list[list[bytes]] = [[] for _ in range(-(-len(distinct) // MAX_MONTHS))]
    for month, line in zip(months, lines, strict=True):
        groups[group_of[month]].append(line)
    return [(f"{token}.months{number}", rows) for number, rows in enumerate(groups)][::-1]


@cache
def _month_reader(column: str) -> Callable[[bytes], str]:
    """Return a function that reads `YYYY-MM` of a row's column, "" where the row cannot be read."""
    decode = msgspec.json.Decoder(msgspec.defstruct("Month", [(column, str)])).decode

    def read(line: bytes) -> str:
        try:
            return str(getattr(decode(line), column))[:7]
        except (msgspec.MsgspecError, UnicodeError):
            return ""

    return read
