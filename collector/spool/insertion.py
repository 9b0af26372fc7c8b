"""Inserts rows of which some may be refused, without holding back the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from collector.spool.file import RefusedRow
from warehouse.connection import Warehouse
from warehouse.errors import RowsRefused, WarehouseError

#: More refused rows than this, in one batch, are no matter of rows: tables of another version refuse everything.
MAX_REFUSED_ROWS: Final = 100


def insert_rows(warehouse: Warehouse, table: str, lines: Sequence[bytes], token: str) -> list[RefusedRow]:
    """Insert rows, and return those that ClickHouse cannot take.

    A refused batch is halved until the rows to blame are alone: about 2 log2(n) inserts for each of them. The halves'
    tokens follow from the batch's, so a repeat after a crash halves it the same way and stores nothing twice.

    Args:
        table: a table of ours.
        lines: rows as JSON objects.
        token: names the batch.

    Raises:
        WarehouseUnavailable: ClickHouse cannot answer just now.
        WarehouseError: it refused something other than rows, or so many of them that the fault is not theirs.
    """
    refused: list[RefusedRow] = []
    waiting = [(token, list(lines))]
    while waiting:
        name, rows = waiting.pop()
        try:
            warehouse.insert_lines(table, b"\n".join(rows), name)
        except RowsRefused as error:
            if len(rows) > 1:
                middle = len(rows) // 2
                waiting += [(f"{name}.1", rows[middle:]), (f"{name}.0", rows[:middle])]
            else:
                refused.append(RefusedRow(rows[0], error.message))
        if len(refused) > MAX_REFUSED_ROWS:
            raise WarehouseError(
                f"ClickHouse refuses rows of {table} by the hundred, the last one so: {refused[-1].reason}",
                "see that every collector runs the version of Micromoment that last migrated the tables",
            )
    return refused
