"""Asking ClickHouse, whoever holds it: this process, or one that answers for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from warehouse.connection import Row


class Queries(Protocol):
    """Whatever answers a query with rows."""

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """Return the rows that a statement selects; `{name:Type}` in it are bound, never pasted.

        Raises:
            WarehouseError: ClickHouse refused the statement, or cannot answer just now.
        """
