"""Checks that a statement only reads, and only tables and functions that an operator may read and call.

Where a construct is not understood, the statement is refused: the rules name what is allowed in places where ClickHouse
takes a table, and what is refused wherever a function may stand. ClickHouse itself, told that the session only reads,
is the second wall.
"""

from __future__ import annotations

from typing import Final

from micromoment.sql_guard.names import (
    CHANGING,
    CLAUSES,
    EXPLAINED,
    QUERY_WORDS,
    SHOWN,
    TABLE_FUNCTIONS,
    TAKES_FROM,
    Names,
)
from micromoment.sql_guard.tokens import Token, matching, refused, tokenize

_END: Final = Token("mark", "")
_READING: Final = "it may begin with SELECT, WITH, EXPLAIN, SHOW, DESCRIBE or EXISTS"


def check_statement(sql: str, names: Names) -> None:
    """Raise an error unless a statement only reads.

    Args:
        sql: the statement.
        names: what the ClickHouse has that is to run it.

    Raises:
        WarehouseError: it does more, or reads what operators may not; the message names the place.
    """
    _Check(tokenize(sql), names).statement()


class _Check:
    """One statement's tokens, walked bracket by bracket."""

    def __init__(self, tokens: list[Token], names: Names) -> None:
        self._tokens = tokens
        self._names = names
        self._closing = matching(tokens)

    def statement(self) -> None:
        end = len(self._tokens)
        for place in range(end):
            self._name(place)
        first = self._at(0)
        match first.keyword:
            case "SHOW":
                self._show(end)
            case "DESCRIBE" | "DESC":
                self._query(2 if self._at(1).keyword == "TABLE" else 1, end, in_tables=True)
            case "EXISTS":
                self._expression(1, end, "")
            case _ if first.keyword in QUERY_WORDS or first.text == "(":
                self._group(0, end, "")
            case _:
                raise refused(f"it begins with {first.text}", _READING)

    def _at(self, place: int) -> Token:
        return self._tokens[place] if 0 <= place < len(self._tokens) else _END

    def _name(self, place: int) -> None:
        """Check a name wherever it stands: a function may be called by its mere name, as by APPLY."""
        token = self._tokens[place]
        if not token.is_name:
            return
        name = token.text.lower()
        if self._names.refuses(name, is_called=self._at(place + 1).text == "("):
            raise refused(f"{token.text} is a function that reads elsewhere, or tells of the server")
        if self._at(place + 1).text == "." and self._at(place - 1).text != "." and name in self._names.others:
            parts = self._chain(place)
            if not self._names.allows_table(parts):
                raise refused(f"{'.'.join(parts)} is none of our tables", "docs/events.md lists them")

    def _chain(self, place: int) -> tuple[str, ...]:
        """Return the parts of the name that begins at a place."""
        parts = [self._at(place).text]
        while self._at(place + 1).text == "." and self._at(place + 2).is_name:
            place += 2
            parts.append(self._at(place).text)
        return tuple(parts)

    def _show(self, end: int) -> None:
        place = 1
        while self._at(place).keyword in {"FULL", "EXTENDED"}:
            place += 1
        word = self._at(place).keyword
        if word == "CREATE":
            place += 2 if self._at(place + 1).keyword in {"TABLE", "VIEW"} else 1
            self._query(place, end, in_tables=True)
        elif word in SHOWN:
            self._query(place + 1, end, in_tables=False, is_show=True)
        else:
            raise refused(f"SHOW {self._at(place).text} is not among what may be shown", "SHOW TABLES, COLUMNS, CREATE")

    def _group(self, begin: int, end: int, function: str) -> None:
        """Check what stands in brackets, or a whole statement: a query or an expression."""
        first = self._at(begin).keyword
        if first == "EXPLAIN":
            self._explain(begin + 1, end)
        elif first in QUERY_WORDS or (self._at(begin).text == "(" and not function):
            self._query(begin, end, in_tables=False)
        else:
            self._expression(begin, end, function)

    def _explain(self, begin: int, end: int) -> None:
        place = begin
        while place < end and self._at(place).keyword in EXPLAINED:
            place += 1
        while place + 2 < end and self._at(place + 1).text == "=":
            place += 3
            place += self._at(place).text == ","
        if self._at(place).keyword not in QUERY_WORDS and self._at(place).text != "(":
            raise refused(f"EXPLAIN {self._at(begin).text} does not explain a query")
        self._group(place, end, "")

    def _expression(self, begin: int, end: int, function: str) -> None:
        place = begin
        while place < end:
            token = self._at(place)
            if token.keyword == "SELECT":
                raise refused("a SELECT needs brackets of its own here")
            if token.keyword == "FROM" and function not in TAKES_FROM and not self._is_comparison(place):
                raise refused("FROM stands outside of a query")
            place = self._step(place)

    def _query(self, begin: int, end: int, *, in_tables: bool, is_show: bool = False) -> None:
        """Check a query, or a list of tables.

        Args:
            begin, end: its place.
            in_tables: whether it begins with a table.
            is_show: whether it is the rest of SHOW, where FROM names a database or a table.
        """
        wants_table = in_tables
        place = begin
        while place < end:
            token = self._at(place)
            if wants_table:
                place, wants_table = self._table(place), False
                continue
            self._refuse_clause(place)
            if token.keyword in CLAUSES:
                in_tables = False
            elif token.keyword == "FROM" and not is_show and not self._is_comparison(place):
                in_tables = wants_table = True
            elif token.keyword == "JOIN":
                in_tables = wants_table = self._at(place - 1).keyword != "ARRAY"
            elif token.text == "," and token.kind == "mark" and in_tables:
                wants_table = True
            place = self._step(place)
        if wants_table:
            raise refused("a table is missing")

    def _table(self, place: int) -> int:
        """Check a table, and return the place behind it."""
        token = self._at(place)
        if token.text == "(" and token.kind == "mark":
            is_query = self._at(place + 1).keyword in QUERY_WORDS
            if is_query:
                self._group(place + 1, self._closing[place], "")
            else:
                self._query(place + 1, self._closing[place], in_tables=True)
            return self._closing[place] + 1
        if not token.is_name:
            raise refused(f"{token.text} is no table")
        if self._at(place + 1).text == "(":
            if token.text.lower() not in TABLE_FUNCTIONS:
                raise refused(f"{token.text} is no table of ours, and no function that may stand for one")
            return self._step(self._step(place))
        parts = self._chain(place)
        if not self._names.allows_table(parts) or not all(part.replace("_", "a").isalnum() for part in parts):
            raise refused(f"{'.'.join(parts)} is none of our tables", "docs/events.md lists them")
        return place + 2 * len(parts) - 1

    def _step(self, place: int) -> int:
        """Return the place behind a token or a pair of brackets, whose content is checked."""
        closing = self._closing.get(place)
        if closing is None:
            return place + 1
        before = self._at(place - 1)
        function = before.text.lower() if before.kind == "word" and self._at(place).text == "(" else "["
        starts_query = self._at(place + 1).keyword in QUERY_WORDS and self._at(place).text == "("
        self._group(place + 1, closing, "" if starts_query else function)
        return closing + 1

    def _refuse_clause(self, place: int) -> None:
        token, after = self._at(place), self._at(place + 1)
        if token.keyword in {"INTO", "SETTINGS", "FORMAT"} and after.text != "(":
            remedy = (
                "--format chooses a format" if token.keyword == "FORMAT" else f"a column of this name: `{token.text}`"
            )
            raise refused(f"{token.keyword} is not among what a statement here may say", remedy)
        if token.keyword in CHANGING and after.text not in {"(", ".", ","}:
            raise refused(
                f"{token.keyword} begins what is no reading",
                f"a column of this name stands in backquotes: `{token.text}`",
            )

    def _is_comparison(self, place: int) -> bool:
        """Tell whether a FROM belongs to IS DISTINCT FROM or WITH FILL FROM, and not to a query."""
        before, earlier = self._at(place - 1).keyword, self._at(place - 2).keyword
        return (before == "DISTINCT" and earlier in {"IS", "NOT"}) or (before == "FILL" and earlier == "WITH")
