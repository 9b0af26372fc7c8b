"""ClickHouse for commands: opened directly, or through the process that holds the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import httpx
import msgspec

from micromoment.configuration.settings import Settings
from micromoment.engine.protocol import Export, PersonRequest, socket_path
from warehouse.connection import Row, Warehouse, connect
from warehouse.dsn import parse_dsn
from warehouse.errors import WarehouseError, WarehouseUnavailable
from warehouse.migrations import migrate
from warehouse.queries import Queries

#: An output format that keeps whole numbers whole and names the types of the columns.
_ROWS_FORMAT: Final = "JSONCompactEachRowWithNamesAndTypes"
_TIMEOUT_SECONDS: Final = 120.0
#: Every table may have to be written anew.
_ERASED_SECONDS: Final = 900.0
T = TypeVar("T")


class Transfer(Protocol):
    """Export of rows from ClickHouse as bytes, and insertion of lines."""

    def export(self, sql: str, format_name: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """Return the rows that a query selects, in an output format of ClickHouse."""

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        """Insert lines of JSON into a table, once for each token."""


class Engine(Queries, Transfer, Protocol):
    """The operations on ClickHouse that commands need."""

    def answer(self, sql: str, format_name: str) -> bytes:
        """Return what a checked statement of an operator reads, in an output format of ClickHouse."""


class EngineClient:
    """Access to the embedded engine inside another process, over its Unix socket."""

    def __init__(self, path: Path) -> None:
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(path)), base_url="http://engine", timeout=_TIMEOUT_SECONDS
        )

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """Return the rows that a query selects; values have the types that the engine itself returns."""
        _, types, *rows = self.export(sql, _ROWS_FORMAT, parameters).splitlines()
        floats = [place for place, name in enumerate(msgspec.json.decode(types, type=list[str])) if "Float" in name]
        return [_row(line, floats) for line in rows]

    def export(self, sql: str, format_name: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """Return the rows that a query selects, in an output format of ClickHouse."""
        asked = Export(sql, format_name, dict(parameters or {}))
        return self._post("/export", msgspec.json.encode(asked))

    def answer(self, sql: str, format_name: str) -> bytes:
        """Return what a statement of an operator reads; the other process checks it as well."""
        return self._post("/answer", msgspec.json.encode(Export(sql, format_name)))

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        """Insert lines of JSON into a table, once for each token."""
        self._post("/insert", lines, {"table": table, "token": token})

    def erase(self, asked: PersonRequest, report: type[T]) -> T:
        """Have the other process erase a person, and return its report."""
        return msgspec.json.decode(
            self._post("/erase", msgspec.json.encode(asked), timeout=_ERASED_SECONDS), type=report
        )

    def export_person(self, asked: PersonRequest) -> Iterator[bytes]:
        """Yield all that the other process knows of a person, as it comes."""
        content = msgspec.json.encode(asked)
        try:
            with self._http.stream("POST", "/export-person", content=content, timeout=_ERASED_SECONDS) as response:
                if not response.is_success:
                    response.read()
                    raise _refusal(response)
                yield from response.iter_bytes()
        except httpx.TransportError as error:
            raise WarehouseUnavailable(f"the running process does not answer: {error}") from error

    def close(self) -> None:
        """Close the connections to the other process."""
        self._http.close()

    def answers(self) -> bool:
        """Tell whether a process listens; a killed process leaves its socket behind.

        Cost: one query that reads no table.
        """
        try:
            self.export("SELECT 1", "TSV")
        except WarehouseUnavailable:
            return False
        return True

    def _post(
        self, path: str, content: bytes, query: dict[str, str] | None = None, timeout: float = _TIMEOUT_SECONDS
    ) -> bytes:
        try:
            response = self._http.post(path, content=content, params=query or {}, timeout=timeout)
        except httpx.TransportError as error:
            raise WarehouseUnavailable(f"the running process does not answer: {error}") from error
        if response.is_success:
            return response.content
        raise _refusal(response)


def _row(line: bytes, floats: Sequence[int]) -> Row:
    """Return a row from its line of JSON; `floats` are the columns of floating-point type: JSON writes 4.0 as 4."""
    values: list[Any] = msgspec.json.decode(line)
    for place in floats:
        if values[place] is not None:
            values[place] = float(values[place])
    return tuple(values)


class _Refusal(msgspec.Struct):
    """The error that the other process answers with."""

    message: str
    hint: str = ""


def _refusal(response: httpx.Response) -> WarehouseError:
    try:
        refusal = msgspec.json.decode(response.content, type=_Refusal)
    except msgspec.MsgspecError:
        return WarehouseError(f"the running process answered {response.status_code}")
    return WarehouseError(refusal.message, refusal.hint)


@contextmanager
def running_engine(settings: Settings) -> Iterator[EngineClient | None]:
    """Yield a client of the process that holds the embedded engine, None when no process does."""
    path = socket_path(settings.data_folder)
    if not parse_dsn(settings.clickhouse).embedded or not path.exists():
        yield None
        return
    client = EngineClient(path)
    try:
        yield client if client.answers() else None
    finally:
        client.close()


@contextmanager
def open_engine(settings: Settings, *, migrates: bool = True) -> Iterator[Engine]:
    """Open ClickHouse for a command, through the running process when it holds the embedded engine.

    Args:
        settings: say where it is.
        migrates: whether tables that are missing are made, which an account that only reads cannot.

    Raises:
        WarehouseUnavailable: ClickHouse cannot be opened.
    """
    with running_engine(settings) as client:
        if client is not None:
            yield client
            return
    if not migrates:
        with Warehouse(parse_dsn(settings.clickhouse), settings.clickhouse_memory_bytes) as warehouse:
            yield warehouse
        return
    with connect(settings.clickhouse, settings.clickhouse_memory_bytes) as warehouse:
        migrate(warehouse)
        yield warehouse
