"""What operators may ask, and what not: by parsing, and on both engines."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micromoment.engine.operator_query import answer_operator, read_names
from micromoment.sql_guard.check import check_statement
from micromoment.sql_guard.names import names_of
from warehouse.connection import Warehouse
from warehouse.errors import MicromomentError, WarehouseError

NAMES: Final = names_of("micromoment", ["default", "other"], ["url", "s3", "remote", "file", "merge"], ["my_program"])

#: Statements that run, on an engine with our tables.
READING: Final = (
    "SELECT 1",
    "SELECT event, count() FROM events GROUP BY event ORDER BY 2 DESC LIMIT 4;",
    "select e.event as where, f.rule from events as e left join fires f on e.event_id = f.fire_id, messages m",
    "FROM events SELECT count() WHERE path = '/a;b' -- a comment; DROP TABLE events",
    "/* INTO OUTFILE */ SELECT count() FROM events # another",
    "WITH latest AS (SELECT max(ts) AS at FROM events) SELECT * FROM latest",
    "WITH (SELECT max(ts) FROM events) AS latest SELECT count() FROM events WHERE ts = latest",
    "SELECT count() FROM events WHERE visitor_id IN (SELECT visitor_id FROM fires) AND event NOT IN ('a', 'b')",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "SELECT url, `format` FROM (SELECT url, 'x' AS `format` FROM events)",
    "SELECT arrayMap(x -> x + 1, [1, 2]), tuple(1, 2).1, map('a', 1)['a'], 'it''s', \"event\" FROM events",
    "SELECT tag FROM messages ARRAY JOIN tags AS tag, [1] AS one",
    "SELECT extract(YEAR FROM ts), trim(BOTH ' ' FROM title), ts IS DISTINCT FROM ts FROM events",
    "SELECT number FROM numbers(3) ORDER BY number WITH FILL FROM 0 TO 5",
    "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active GROUP BY table",
    "SELECT replace(name, 'a', 'b') FROM system.tables",
    "EXPLAIN SELECT 1",
    "EXPLAIN indexes = 1, actions = 1 SELECT count() FROM events WHERE site = 'shop'",
    "EXPLAIN SYNTAX SELECT 1",
    "SHOW TABLES",
    "SHOW CREATE TABLE events",
    "SHOW COLUMNS FROM events",
    "DESCRIBE TABLE events",
    "DESCRIBE (SELECT 1 AS a)",
    "EXISTS TABLE events",
)

#: Statements that do not run, with a part of the reason.
REFUSED: Final = (
    ("", "empty"),
    ("-- nothing", "empty"),
    ("SELECT 1; SELECT 2", "more than one"),
    ("SELECT 1;;DROP TABLE events", "more than one"),
    ("INSERT INTO events (site) VALUES ('x')", "INSERT"),
    ("ALTER TABLE events DELETE WHERE 1", "ALTER"),
    ("DROP TABLE events", "DROP"),
    ("TRUNCATE events", "TRUNCATE"),
    ("KILL QUERY WHERE 1", "KILL"),
    ("SYSTEM FLUSH LOGS", "SYSTEM"),
    ("SET max_threads = 1", "SET"),
    ("USE default", "USE"),
    ("GRANT ALL ON *.* TO default", "GRANT"),
    ("BACKUP TABLE events TO Disk('x')", "BACKUP"),
    ("EXECUTE AS somebody SELECT 1", "EXECUTE"),
    ("WITH 1 AS a INSERT INTO events SELECT a", "INSERT"),
    ("SELECT 1 PARALLEL WITH SELECT 2", "PARALLEL"),
    ("SELECT 1 INTO OUTFILE 'x'", "INTO"),
    ("SELECT 1 INTO/**/OUTFILE 'x' APPEND", "INTO"),
    ("SELECT * FROM (SELECT 1 INTO OUTFILE 'x')", "INTO"),
    ("EXPLAIN SELECT 1 INTO OUTFILE 'x'", "INTO"),
    ("SHOW TABLES INTO OUTFILE 'x'", "INTO"),
    ("DESCRIBE TABLE events INTO OUTFILE 'x'", "INTO"),
    ("SELECT 1 FORMAT Native", "FORMAT"),
    ("SELECT 1 SETTINGS max_execution_time = 0", "SETTINGS"),
    ("SELECT (SELECT 1 SETTINGS readonly = 0)", "SETTINGS"),
    ("SELECT file('secret')", "file"),
    ("SELECT FILE ('secret')", "FILE"),
    ("SELECT `file`('secret')", "file"),
    ("SELECT file/**/('secret')", "file"),
    ("SELECT * APPLY file FROM (SELECT 'secret')", "file"),
    ("SELECT * APPLY(file) FROM (SELECT 'secret')", "file"),
    ("SELECT arrayMap(file, ['secret'])", "file"),
    ("SELECT 1 WHERE file('secret') = ''", "file"),
    ("SELECT * FROM file('secret', 'LineAsString')", "file"),
    ("SELECT * FROM url('http://x', 'CSV')", "url"),
    ("SELECT * FROM s3('x')", "s3"),
    ("SELECT * FROM remote('127.0.0.1', 'system', 'users')", "remote"),
    ("SELECT * FROM mysql('h:1', 'd', 't', 'u', 'p')", "mysql"),
    ("SELECT * FROM executable('x', 'TSV', 'a String')", "executable"),
    ("SELECT * FROM python('x')", "python"),
    ("SELECT * FROM tomorrows_function('x')", "tomorrows_function"),
    ("SELECT 1 FROM events, url('http://x')", "url"),
    ("SELECT 1 FROM events AS where, url('http://x')", "url"),
    ("SELECT 1 FROM events JOIN tomorrows_function('x') AS t ON 1", "tomorrows_function"),
    ("SELECT 1 IN url('http://x')", "url"),
    ("SELECT * FROM view(SELECT * FROM url('http://x'))", "url"),
    ("DESCRIBE url('http://x')", "url"),
    ("DESCRIBE TABLE tomorrows_function('x')", "tomorrows_function"),
    ("EXPLAIN TABLE OVERRIDE mysql('h:1', 'd', 't', 'u', 'p') COLUMNS (a String)", "TABLE"),
    ("EXPLAIN AST INSERT INTO events VALUES (1)", "does not explain"),
    ("SELECT * FROM 'secret'", "no table"),
    ("SELECT * FROM `/etc/passwd`", "none of our tables"),
    ('SELECT * FROM "system.users"', "none of our tables"),
    ("SELECT * FROM system.users", "none of our tables"),
    ("SELECT * FROM system.query_log", "none of our tables"),
    ("SELECT * FROM `system`.`named_collections`", "none of our tables"),
    ("SELECT * FROM system /**/ . processes", "none of our tables"),
    ("SELECT * FROM SYSTEM.users", "none of our tables"),
    ("SELECT * FROM events AS where, system.users", "none of our tables"),
    ("SELECT * FROM default.secrets", "none of our tables"),
    ("SELECT * FROM unknown_database.t", "none of our tables"),
    ("SELECT in('x', system.users)", "none of our tables"),
    ("SELECT 'x' IN system.users", "none of our tables"),
    ("SELECT 1 AS fill FROM system.users", "none of our tables"),
    ("SELECT * FROM merge('system', '.*')", "merge"),
    ("SHOW CREATE TABLE system.users", "none of our tables"),
    ("SHOW GRANTS", "GRANTS"),
    ("SHOW USERS", "USERS"),
    ("SHOW SETTINGS LIKE '%'", "SETTINGS"),
    ("SELECT getSetting('max_threads')", "getSetting"),
    ("SELECT getServerSetting('x')", "getServerSetting"),
    ("SELECT getMacro('x')", "getMacro"),
    ("SELECT @@version", "character"),
    ("SELECT dictGet('d', 'a', 1)", "dictGet"),
    ("SELECT joinGet('other.j', 'a', 1)", "joinGet"),
    ("SELECT hasColumnInTable('h', 'u', 'p', 'd', 't', 'c')", "hasColumnInTable"),
    ("SELECT reverseDNSQuery('1.1.1.1')", "reverseDNSQuery"),
    ("SELECT sleep(3)", "sleep"),
    ("SELECT my_program(1)", "my_program"),
    ("SELECT 'x\\\\', file('secret') -- '", "file"),
    ("SELECT $$ $$, file('secret')", "character"),
    ("SELECT ‘a’", "character"),
    ("SELECT /* /* */ 1 */ 2", "comment"),
    ("SELECT (1", "not closed"),
    ("SELECT 1)", "closes nothing"),
    ("SELECT " + "(" * 200 + "1" + ")" * 200, "nested"),
    ("SELECT '" + "x" * 100_001 + "'", "characters"),
    ("SELECT count() FROM", "missing"),
)


@pytest.mark.parametrize("sql", READING)
def test_what_reads_our_tables_is_allowed(sql: str) -> None:
    check_statement(sql, NAMES)


@pytest.mark.parametrize(("sql", "reason"), REFUSED)
def test_what_does_more_is_refused_with_its_reason(sql: str, reason: str) -> None:
    with pytest.raises(WarehouseError) as refusal:
        check_statement(sql, NAMES)
    assert reason in refusal.value.message


def test_what_is_allowed_runs(warehouse: Warehouse) -> None:
    names = read_names(warehouse)
    failed = []
    for sql in READING:
        check_statement(sql, names)
        try:
            answer_operator(warehouse, sql, "TSV")
        except MicromomentError as error:
            failed.append((sql, error.message))
    assert failed == []


def test_the_names_of_a_real_engine_refuse_the_same(warehouse: Warehouse) -> None:
    names = read_names(warehouse)
    assert {"url", "remote", "s3", "mysql", "merge", "clusterallreplicas"} <= names.called
    let_through = []
    for sql, _ in REFUSED:
        try:
            check_statement(sql.replace("my_program", "file"), names)
        except WarehouseError:
            continue
        let_through.append(sql)
    assert let_through == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "INSERT INTO worker_cursor (worker) VALUES ('w')",
        "CREATE TABLE t (a UInt8) ENGINE = Memory",
        "SELECT number FROM numbers(100000000) FORMAT Null",
    ],
)
def test_clickhouse_refuses_by_itself_what_the_check_would_have_missed(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(WarehouseError):
        warehouse.answer(sql, "TSV")


@pytest.mark.parametrize("name", ["", "TSV INTO OUTFILE 'x'", "TSV\n", "../x", "TSV;", "T" * 65])
def test_a_format_is_a_word(name: str, embedded_warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="format"):
        answer_operator(embedded_warehouse, "SELECT 1", name)


@given(st.text(alphabet="SELECT FROM file('x')\"`--/**/;#\\n,.systemurl IN", max_size=60))
def test_no_text_breaks_the_check(text: str) -> None:
    try:
        check_statement(text, NAMES)
    except WarehouseError:
        return
    lowered = text.lower()
    assert "file" not in lowered or "'" in text or "-" in text or "*" in text or "#" in text
