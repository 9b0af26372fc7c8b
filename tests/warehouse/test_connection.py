from __future__ import annotations

import socket
import socketserver
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tests.warehouse.rows import event_row, store, value
from warehouse.connection import Warehouse, connect
from warehouse.errors import ConfigurationError, WarehouseError, WarehouseUnavailable

THREADS = 8
HOSTILE = "it's `quoted` \\ {name:String}; DROP TABLE events; -- \u2028 \U0001f600 \x00"


def test_the_database_is_made_when_it_is_missing(unmade_dsn: str) -> None:
    with connect(unmade_dsn) as warehouse:
        assert value(warehouse, "SELECT currentDatabase()") == warehouse.dsn.database


def test_connecting_again_finds_what_was_stored(unmade_dsn: str) -> None:
    with connect(unmade_dsn) as first:
        first.command("CREATE TABLE note (text String) ENGINE = MergeTree ORDER BY text")
        first.command("INSERT INTO note VALUES ({text:String})", {"text": "kept"})
    with connect(unmade_dsn) as second:
        assert list(second.query("SELECT text FROM note")) == [("kept",)]


def test_parameters_are_bound_and_never_pasted(warehouse: Warehouse) -> None:
    assert value(warehouse, "SELECT {name:String}", name=HOSTILE) == HOSTILE
    assert value(warehouse, "SELECT {names:Array(String)}", names=[HOSTILE, "b"]) == [HOSTILE, "b"]
    assert value(warehouse, "SELECT {number:Int64}", number=-(2**63)) == -(2**63)


def test_an_export_comes_in_the_format_that_was_asked_for(warehouse: Warehouse) -> None:
    sql = "SELECT number, {word:String} AS word FROM numbers(2)"
    assert warehouse.export(sql, "CSV", parameters={"word": "x"}) == b'0,"x"\n1,"x"\n'
    assert warehouse.export(sql, "JSONEachRow", parameters={"word": "x"}).count(b'"word":"x"') == 2


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE events",
        "INSERT INTO worker_cursor (worker) VALUES ('w')",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
    ],
)
def test_an_export_only_reads_and_leaves_the_thread_able_to_write(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(WarehouseError):
        warehouse.export(sql, "TSV")
    assert value(warehouse, "EXISTS TABLE events") == 1
    assert value(warehouse, "SELECT count() FROM worker_cursor") == 0
    store(warehouse, event_row(visitor_id="v", event_id="e"))
    assert warehouse.export("SELECT count() FROM events", "TSV") == b"1\n"


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT * FROM nowhere", "SELECT toUInt8('x')"])
def test_a_refused_statement_is_an_error_for_good(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(WarehouseError) as caught:
        warehouse.query(sql)
    assert not isinstance(caught.value, WarehouseUnavailable)
    assert str(warehouse.dsn) in caught.value.message


def test_trouble_that_passes_is_worth_retrying(warehouse: Warehouse) -> None:
    sql = "SELECT max(sipHash64(number)) FROM numbers(100000000000) SETTINGS max_execution_time = 0.05"
    with pytest.raises(WarehouseUnavailable) as caught:
        warehouse.query(sql)
    assert caught.value.retryable


def test_a_statement_that_failed_does_not_spoil_the_next(warehouse: Warehouse) -> None:
    for _ in range(3):
        with pytest.raises(WarehouseError):
            warehouse.query("SELECT * FROM nowhere")
    assert value(warehouse, "SELECT 1") == 1


def test_many_threads_read_and_write_at_once(warehouse: Warehouse) -> None:
    together = Barrier(THREADS)

    def work(number: int) -> int:
        together.wait()
        for step in range(5):
            store(warehouse, event_row(visitor_id=f"v{number}", event_id=f"{number}-{step}"))
        sql = "SELECT count() FROM events WHERE visitor_id = {visitor:String}"
        return int(value(warehouse, sql, visitor=f"v{number}"))

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(work, range(THREADS))) == [5] * THREADS
    assert value(warehouse, "SELECT uniqExact(event_id) FROM events") == THREADS * 5


@pytest.mark.parametrize(
    "ask",
    [
        lambda warehouse: warehouse.query("SELECT 1"),
        lambda warehouse: warehouse.command("SELECT 1"),
        lambda warehouse: warehouse.export("SELECT 1", "TSV"),
        lambda warehouse: warehouse.insert_lines("events", b"{}", "token"),
    ],
    ids=["query", "command", "export", "insert"],
)
def test_a_closed_pool_answers_nothing(warehouse: Warehouse, ask: Callable[[Warehouse], object]) -> None:
    warehouse.query("SELECT 1")
    warehouse.close()
    with pytest.raises(WarehouseError, match="closed"):
        ask(warehouse)


def test_a_closed_pool_answers_no_new_thread_either(warehouse: Warehouse) -> None:
    warehouse.close()
    with ThreadPoolExecutor(1) as pool, pytest.raises(WarehouseError, match="closed"):
        pool.submit(warehouse.query, "SELECT 1").result()


def test_closing_twice_is_no_error(warehouse: Warehouse) -> None:
    warehouse.close()
    warehouse.close()


def test_a_server_that_does_not_answer_is_named_with_the_remedy() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with pytest.raises(WarehouseUnavailable) as caught:
            connect(f"clickhouse://ada:hunter2@127.0.0.1:{port}/shop")
    assert f"clickhouse://127.0.0.1:{port}/default" in caught.value.message
    assert "MICROMOMENT_CLICKHOUSE" in caught.value.hint
    assert "hunter2" not in str(caught.value)


def test_a_peer_that_is_no_clickhouse_is_an_error_of_ours() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _MailServer) as peer, ThreadPoolExecutor(1) as pool:
        pool.submit(peer.serve_forever, 0.01)
        try:
            with pytest.raises(WarehouseUnavailable):
                connect(f"clickhouse://127.0.0.1:{peer.server_address[1]}/shop")
        finally:
            peer.shutdown()


def test_wrong_credentials_are_an_error_for_good(listener: str) -> None:
    with pytest.raises(WarehouseError) as caught:
        connect(f"{listener.replace('://', '://nobody:hunter2@')}/shop")
    assert not isinstance(caught.value, WarehouseUnavailable)
    assert "hunter2" not in str(caught.value)


def test_a_data_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigurationError) as caught:
        connect(f"chdb://{tmp_path / 'file' / 'clickhouse'}")
    assert str(tmp_path / "file" / "clickhouse") in caught.value.message
    assert "MICROMOMENT_CLICKHOUSE" in caught.value.hint


class _MailServer(socketserver.BaseRequestHandler):
    """Answers everything as a mail server would."""

    def handle(self) -> None:
        self.request.recv(1024)
        self.request.sendall(b"220 mail.example ESMTP\r\n")
