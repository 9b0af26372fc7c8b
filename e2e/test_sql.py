"""`micromoment sql` beside the running product."""

from __future__ import annotations

import json

import pytest

from e2e.shopper import Shopper
from e2e.stack import Stack
from e2e.waiting import wait_for

COUNTS = "SELECT event, count() FROM events GROUP BY event ORDER BY 2 DESC"


def test_behaviour_is_there_to_be_asked_about(shopper: Shopper, stack: Stack) -> None:
    shopper.open_home()
    shopper.tell("track", "asked_about")

    def counts() -> dict[str, int]:
        asked = stack.run("sql", COUNTS, "--format", "JSONCompactEachRow")
        assert asked.returncode == 0, asked.stderr
        found = dict(map(json.loads, asked.stdout.splitlines()))
        return found if "asked_about" in found else {}

    found = wait_for(counts, "the event in the answer", seconds=15)
    assert found["asked_about"] == 1
    assert found["page_view"] >= 1
    assert list(found.values()) == sorted(found.values(), reverse=True)


@pytest.mark.parametrize(
    ("format_name", "row"), [("TSV", ["a\t1"]), ("CSV", ['"a",1']), ("JSONEachRow", ['{"x":"a","y":1}'])]
)
def test_an_answer_comes_in_the_format_that_was_asked_for(stack: Stack, format_name: str, row: list[str]) -> None:
    asked = stack.run("sql", "SELECT 'a' AS x, 1 AS y;", "--format", format_name)
    assert (asked.returncode, asked.stdout.splitlines()) == (0, row)


def test_a_person_gets_a_table(stack: Stack) -> None:
    asked = stack.run("sql", "SELECT 'hover' AS event")
    assert asked.returncode == 0
    assert "hover" in asked.stdout
    assert "event" in asked.stdout


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO worker_cursor (worker) VALUES ('x')",
        "TRUNCATE TABLE events",
        "DROP TABLE events",
        "CREATE TABLE mine (x Int8) ENGINE = Memory",
        "ALTER TABLE events DELETE WHERE 1",
    ],
)
def test_writing_is_refused_and_changes_nothing(stack: Stack, statement: str) -> None:
    asked = stack.run("sql", statement)
    assert asked.returncode != 0
    assert f"the statement is not run: it begins with {statement.split(maxsplit=1)[0]}" in asked.stderr
    assert "Traceback" not in asked.stderr
    assert stack.sql("SELECT count() >= 0 AS there FROM events") == [{"there": 1}]


def test_a_refused_statement_leaves_the_product_at_work(shopper: Shopper, stack: Stack) -> None:
    for _ in range(3):
        stack.run("sql", "DROP TABLE events")
    shopper.open_home()
    for number in range(5):
        shopper.tell("track", "after_refusal", {"number": number})
        shopper.wait_for_event("after_refusal", number=number)
