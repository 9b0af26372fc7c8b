from __future__ import annotations

from importlib.resources import files

import pytest

from warehouse.sql import read_sql

STATEMENTS = [
    (package, file.name.removesuffix(".sql"))
    for package in ("collector", "micromoment", "trigger_worker")
    for file in files(package).joinpath("sql").iterdir()
    if file.name.endswith(".sql")
]


@pytest.mark.parametrize(("package", "name"), STATEMENTS)
def test_every_statement_says_first_what_it_answers(package: str, name: str) -> None:
    first, *rest = read_sql(package, name).splitlines()
    assert first.startswith("-- ")
    assert any(line.strip() and not line.startswith("--") for line in rest)


@pytest.mark.parametrize(("package", "name"), STATEMENTS)
def test_no_statement_is_put_together_from_text(package: str, name: str) -> None:
    assert "%s" not in read_sql(package, name)
    assert ";" not in read_sql(package, name)


def test_a_statement_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        read_sql("collector", "no_such_statement")
