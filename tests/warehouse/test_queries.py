from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.queries import read_sql

ROOT = Path(__file__).parents[2]
STATEMENTS = sorted(
    (".".join(file.parent.parent.relative_to(ROOT).parts), file.stem)
    for package in ("collector", "micromoment", "trigger_worker")
    for file in (ROOT / package).rglob("sql/*.sql")
)


def test_there_are_statements() -> None:
    assert len(STATEMENTS) > 10


@pytest.mark.parametrize(("package", "name"), STATEMENTS)
def test_every_statement_says_first_what_it_answers(package: str, name: str) -> None:
    first, *rest = read_sql(package, name).splitlines()
    assert first.startswith("-- ")
    assert any(line.strip() and not line.startswith("--") for line in rest)


@pytest.mark.parametrize(("package", "name"), STATEMENTS)
def test_no_statement_is_put_together_from_text(package: str, name: str) -> None:
    lines = [line for line in read_sql(package, name).splitlines() if not line.startswith("--")]
    assert not any("%s" in line or ";" in line for line in lines)


def test_a_statement_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        read_sql("collector", "no_such_statement")
