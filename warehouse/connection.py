"""Connects to ClickHouse, embedded or served, from any number of threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self, cast

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from warehouse.dsn import Dsn, parse_dsn
from warehouse.errors import ConfigurationError, RowsRefused, WarehouseError, WarehouseUnavailable

#: Settings of every session. Inserts are synchronous: an answer means the rows are there.
SESSION_SETTINGS: Final[dict[str, object]] = {"async_insert": 0, "max_threads": 2}
#: Settings of sessions that only read, of which ClickHouse lets nobody out again; and it gives up on a statement that
#: runs away. A statement may say how it is run (2, not 1): those about a few people use one thread.
READING_SETTINGS: Final[dict[str, object]] = {**SESSION_SETTINGS, "max_execution_time": 60, "readonly": 2}
#: Settings of sessions in which an operator's own statement runs: nothing can be set, and a statement that takes too
#: much ends with an error instead of taking it from those that visitors wait for.
OPERATOR_SETTINGS: Final[dict[str, object]] = {
    **SESSION_SETTINGS,
    "max_execution_time": 60,
    "timeout_overflow_mode": "throw",
    "max_memory_usage": 2 * 1024**3,
    "max_result_rows": 5_000_000,
    "max_result_bytes": 1024**3,
    "result_overflow_mode": "throw",
    "allow_ddl": 0,
    "allow_introspection_functions": 0,
    "log_queries": 0,
    "readonly": 1,
}
#: Settings of every insert. One block in, one block on a retry, so that the token recognises it; and
#: a field without a column is an error rather than lost.
INSERT_SETTINGS: Final[dict[str, object]] = {
    "async_insert": 0,
    "input_format_parallel_parsing": 0,
    "input_format_skip_unknown_fields": 0,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
}
_SESSIONS: Final = {"writing": SESSION_SETTINGS, "reading": READING_SETTINGS, "operator": OPERATOR_SETTINGS}
CONNECT_TIMEOUT_SECONDS: Final = 5
READ_TIMEOUT_SECONDS: Final = 60
#: ClickHouse's codes for trouble that passes: timeouts, too many queries or parts, memory, network, shutting down.
TRANSIENT_CODES: Final = frozenset({3, 159, 160, 202, 203, 209, 210, 236, 241, 242, 252, 279, 425, 439, 999})
#: Its codes for rows that do not fit: what cannot be parsed, is out of its range, too large or of another type.
ROW_CODES: Final = frozenset({6, 25, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 131, 349})
#: Its code for too many parts of a table, which passes, and for too many partitions in one insert, which does not.
_TOO_MANY: Final = 252
_CLOSED: Final = "the connection to ClickHouse was closed"

Row = tuple[Any, ...]


class Warehouse:
    """A pool of ClickHouse clients, one for each thread that asks.

    Args:
        dsn: the place of ClickHouse.
        memory_bytes: most that the embedded engine may use; the first to open a folder decides.
    """

    def __init__(self, dsn: Dsn, memory_bytes: int = 4 * 1024**3) -> None:
        self.dsn = dsn
        self._memory_bytes = memory_bytes
        self._local = threading.local()
        self._lock = threading.Lock()
        self._clients: list[Client] = []
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """Return the rows that a statement selects; `{name:Type}` in it are bound, never pasted.

        Cost: that of the statement; its owner says it.

        Raises:
            WarehouseUnavailable: ClickHouse cannot answer just now.
            WarehouseError: ClickHouse refused the statement.
        """
        with self._translated():
            return cast(Sequence[Row], self._client().query(sql, parameters=dict(parameters or {})).result_rows)

    def export(self, sql: str, format_name: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """Return the rows that a statement selects in one of ClickHouse's own formats, such as `PrettyCompact`.

        Cost: that of the statement; it ends with an error after 60 s.

        Raises:
            WarehouseUnavailable: ClickHouse cannot answer just now.
            WarehouseError: ClickHouse refused the statement, as it refuses each that does more than read.
        """
        with self._translated():
            return self._client("reading").raw_query(sql, parameters=dict(parameters or {}), fmt=format_name)

    def ping(self) -> None:
        """Return when ClickHouse answers.

        Cost: one query of a constant.

        Raises:
            WarehouseUnavailable: it does not.
        """
        self.query("SELECT 1")

    def answer(self, sql: str, format_name: str) -> bytes:
        """Return what a statement of an operator reads, which was checked by whoever passes it on.

        Cost: that of the statement, within `OPERATOR_SETTINGS`.

        Raises:
            WarehouseUnavailable: ClickHouse cannot answer just now.
            WarehouseError: ClickHouse refused the statement, or it took too much.
        """
        with self._translated():
            return self._client("operator").raw_query(sql, fmt=format_name)

    def command(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run a statement that returns no rows, such as `CREATE TABLE`.

        Raises:
            WarehouseUnavailable, WarehouseError: as `query`.
        """
        with self._translated():
            self._client().command(sql, parameters=dict(parameters or {}))

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        """Insert rows given as JSON objects, one a line, at most once for a token.

        Cost: one insert of one block.

        Args:
            table: a table of ours, never a name from outside.
            lines: newline-separated JSON objects; the same bytes for the same token.
            token: names the batch; a repeat within the deduplication window stores nothing.

        Raises:
            RowsRefused: some row is not one of the table's; none is stored.
            WarehouseUnavailable, WarehouseError: as `query`.
        """
        settings = {**INSERT_SETTINGS, "insert_deduplication_token": token}
        with self._translated():
            self._client().raw_insert(table, insert_block=lines, fmt="JSONEachRow", settings=settings)

    def close(self) -> None:
        """Close every client; later calls raise `WarehouseError`."""
        with self._lock:
            self._closed = True
            clients, self._clients = self._clients, []
        for client in reversed(clients):
            client.close()

    def _client(self, session: str = "writing") -> Client:
        if self._closed:
            raise WarehouseError(_CLOSED)
        clients: dict[str, Client] = self._local.__dict__.setdefault("clients", {})
        if session not in clients:
            clients[session] = self._open(_SESSIONS[session])
        return clients[session]

    def _open(self, settings: dict[str, object]) -> Client:
        dsn = self.dsn
        client = _embedded_client(dsn, settings, self._memory_bytes) if dsn.embedded else _server_client(dsn, settings)
        with self._lock:
            if self._closed:
                client.close()
                raise WarehouseError(_CLOSED)
            self._clients.append(client)
        return client

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (ClickHouseError, OSError) as error:
            # ClickHouse numbers every refusal; without a number it was not ClickHouse that answered.
            if not isinstance(error, DatabaseError) or not error.code:
                self._local.__dict__.clear()
                raise _unreachable(self.dsn, error) from error
            reason = _first_line(error)
            failure = _kind(error.code, reason)(f"ClickHouse at {self.dsn}: {reason}")
            failure.code = error.code
            raise failure from error


def connect(dsn: str, memory_bytes: int = 4 * 1024**3) -> Warehouse:
    """Return an open connection to ClickHouse, after making its database when it is missing.

    Cost: one `CREATE DATABASE IF NOT EXISTS`.

    Args:
        dsn: `chdb:///folder` or `clickhouse://user:password@host:port/database`.
        memory_bytes: most that the embedded engine may use.

    Raises:
        ConfigurationError: the data source cannot be read, or its folder cannot be written.
        WarehouseUnavailable: no ClickHouse answers there.
    """
    parsed = parse_dsn(dsn)
    if parsed.embedded:
        _require_writable(Path(parsed.path))
    _make_database(parsed, memory_bytes)
    return Warehouse(parsed, memory_bytes)


def _make_database(dsn: Dsn, memory_bytes: int) -> None:
    anywhere = Dsn(**{**_fields(dsn), "database": "default"})
    with Warehouse(anywhere, memory_bytes) as warehouse:
        engine = " ENGINE = Atomic" if dsn.embedded else ""
        warehouse.command(f"CREATE DATABASE IF NOT EXISTS `{dsn.database.replace('`', '')}`{engine}")


def _fields(dsn: Dsn) -> dict[str, Any]:
    return {name: getattr(dsn, name) for name in dsn.__struct_fields__}


def _embedded_client(dsn: Dsn, settings: dict[str, object], memory_bytes: int) -> Client:
    return clickhouse_connect.get_client(
        interface="chdb",
        path=dsn.path,
        database=dsn.database,
        settings=settings,
        chdb_options={"max_server_memory_usage": str(memory_bytes)},
    )


def _server_client(dsn: Dsn, settings: dict[str, object]) -> Client:
    return clickhouse_connect.get_client(
        host=dsn.host,
        port=dsn.port,
        username=dsn.username,
        password=dsn.password,
        database=dsn.database,
        interface="https" if dsn.secure else "http",
        settings=settings,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        send_receive_timeout=READ_TIMEOUT_SECONDS,
        autogenerate_session_id=False,
        client_name="micromoment",
        dedicated_pool=True,
    )


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"clickhouse: the data folder {folder} cannot be written: {error.strerror}",
            "make it writable, or name another in `clickhouse` (MICROMOMENT_CLICKHOUSE)",
        ) from error


def _kind(code: int, reason: str) -> type[WarehouseError]:
    if code == _TOO_MANY and "partitions" in reason:
        return RowsRefused
    if code in TRANSIENT_CODES:
        return WarehouseUnavailable
    return RowsRefused if code in ROW_CODES else WarehouseError


def _unreachable(dsn: Dsn, error: Exception) -> WarehouseError:
    reason = _root_cause(error)
    if dsn.embedded:
        return WarehouseUnavailable(
            f"ClickHouse at {dsn} cannot be opened: {reason}",
            "another process may hold this folder: the embedded engine serves one process at a time",
        )
    return WarehouseUnavailable(
        f"ClickHouse at {dsn} cannot be reached: {reason}",
        "start it, or correct `clickhouse` (MICROMOMENT_CLICKHOUSE)",
    )


def _root_cause(error: BaseException) -> str:
    """Return the operating system's reason, where one is the cause of an error, else the error's first line."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:500]
