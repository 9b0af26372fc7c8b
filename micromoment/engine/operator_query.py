"""Statements of operators: checked, then run where they can take neither rows nor time from the product."""

from __future__ import annotations

import re
from typing import Final, Protocol

from micromoment.sql_guard.check import check_statement
from micromoment.sql_guard.names import Names, names_of
from micromoment.sql_guard.tokens import refused
from warehouse.queries import Queries, read_sql

_FORMAT: Final = re.compile("[A-Za-z][A-Za-z0-9]{0,63}")


class AnswersOperators(Queries, Protocol):
    """A ClickHouse that runs statements of operators."""

    def answer(self, sql: str, format_name: str) -> bytes:
        """Return what a checked statement reads, in an output format of ClickHouse."""


def answer_operator(engine: AnswersOperators, sql: str, format_name: str) -> bytes:
    """Return what an operator's statement reads.

    Cost: three queries of ClickHouse's own small tables, and the statement.

    Args:
        engine: the ClickHouse database.
        sql: the statement, from outside.
        format_name: a format of ClickHouse's output.

    Raises:
        WarehouseError: the statement does more than read, reads what operators may not, or took too much.
    """
    if not _FORMAT.fullmatch(format_name):
        raise refused(f"{format_name!r} is no name of a format", "such as JSONEachRow or CSVWithNames")
    check_statement(sql, read_names(engine))
    return engine.answer(sql.rstrip().rstrip(";"), format_name)


def read_names(queries: Queries) -> Names:
    """Return the names of the ClickHouse that is asked, as far as statements of operators are concerned.

    Cost: three queries of small tables of its own.
    """
    databases = queries.query(_statement("databases"))
    own = next((name for name, is_own in databases if is_own), "")
    others = [name for name, is_own in databases if not is_own]
    functions = [name for (name,) in queries.query(_statement("table_functions"))]
    foreign = [name for (name,) in queries.query(_statement("foreign_functions"))]
    return names_of(own, others, functions, foreign)


def _statement(name: str) -> str:
    return read_sql("micromoment.engine", name)
