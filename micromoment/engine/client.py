"""ClickHouse as a command sees it: directly, or through the process that holds the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
import msgspec

from micromoment.configuration.settings import Settings
from micromoment.engine.protocol import Export, socket_path
from warehouse.connection import Row, connect
from warehouse.dsn import parse_dsn
from warehouse.errors import WarehouseError, WarehouseUnavailable
from warehouse.migrations import migrate
from warehouse.queries import Queries

#: A format that keeps whole numbers whole and tells which columns are of floating-point type.
_ROWS_FORMAT: Final = "JSONCompactEachRowWithNamesAndTypes"
_TIMEOUT_SECONDS = 120.0


class Transfer(Protocol):
    """Bytes out of ClickHouse and into it."""

    def export(self, sql: str, format_name: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """Return what a statement selects in one of ClickHouse's formats."""

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        """Insert JSON lines at most once for a token."""


class Engine(Queries, Transfer, Protocol):
    """What commands need of ClickHouse."""


class EngineClient:
    """The embedded engine inside another process."""

    def __init__(self, path: Path) -> None:
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(path)), base_url="http://engine", timeout=_TIMEOUT_SECONDS
        )

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """Return the rows that a statement selects, of the types that the engine itself gives."""
        _, types, *rows = self.export(sql, _ROWS_FORMAT, parameters).splitlines()
        floats = [place for place, name in enumerate(msgspec.json.decode(types, type=list[str])) if "Float" in name]
        return [_row(line, floats) for line in rows]

    def export(self, sql: str, format_name: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """Return what a statement selects in one of ClickHouse's formats."""
        asked = Export(sql, format_name, dict(parameters or {}))
        return self._post("/export", msgspec.json.encode(asked))

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        """Insert JSON lines at most once for a token."""
        self._post("/insert", lines, {"table": table, "token": token})

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def answers(self) -> bool:
        """Tell whether a process listens: its socket may be left over from one that was killed."""
        try:
            self.export("SELECT 1", "TSV")
        except WarehouseUnavailable:
            return False
        return True

    def _post(self, path: str, content: bytes, query: dict[str, str] | None = None) -> bytes:
        try:
            response = self._http.post(path, content=content, params=query or {})
        except httpx.TransportError as error:
            raise WarehouseUnavailable(f"the running process does not answer: {error}") from error
        if response.is_success:
            return response.content
        raise _refusal(response)


def _row(line: bytes, floats: Sequence[int]) -> Row:
    """Read a row; JSON writes the number 4.0 as 4."""
    values: list[Any] = msgspec.json.decode(line)
    for place in floats:
        if values[place] is not None:
            values[place] = float(values[place])
    return tuple(values)


class _Refusal(msgspec.Struct):
    message: str
    hint: str = ""


def _refusal(response: httpx.Response) -> WarehouseError:
    try:
        refusal = msgspec.json.decode(response.content, type=_Refusal)
    except msgspec.MsgspecError:
        return WarehouseError(f"the running process answered {response.status_code}")
    return WarehouseError(refusal.message, refusal.hint)


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """Open ClickHouse for a command, through the running process when that holds the embedded engine."""
    path = socket_path(settings.data_folder)
    if parse_dsn(settings.clickhouse).embedded and path.exists():
        client = EngineClient(path)
        try:
            if client.answers():
                yield client
                return
        finally:
            client.close()
    with connect(settings.clickhouse, settings.clickhouse_memory_bytes) as warehouse:
        migrate(warehouse)
        yield warehouse
