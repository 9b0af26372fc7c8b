"""Splits a statement into tokens as ClickHouse does, and refuses whatever the two might read differently."""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from warehouse.errors import WarehouseError

MAX_CHARACTERS: Final = 100_000
MAX_DEPTH: Final = 100

Kind = Literal["word", "quoted", "string", "number", "mark"]

_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\r\n\f\v]+|--[^\n]*|\#[ !][^\n]*|/\*(?P<comment>.*?)\*/)
    | (?P<string>'(?:[^'\\]|\\.|'')*')
    | (?P<quoted>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")
    | (?P<number>[0-9][0-9A-Za-z_]*)
    | (?P<word>[A-Za-z_][0-9A-Za-z_]*)
    | (?P<mark>[(){}\[\],;.*+\-/%=<>!|?:~^&])
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENING: Final = {"(": ")", "[": "]", "{": "}"}


class Token(msgspec.Struct, frozen=True):
    """One token.

    Args:
        kind: what it is; `quoted` is a name in backquotes or double quotes, `string` a literal.
        text: a word as it stands, the content of a quoted name, and otherwise the token's own text.
        keyword: the word in capitals where it may be a keyword; "" where it can only be a name.
    """

    kind: Kind
    text: str
    keyword: str = ""

    @property
    def is_name(self) -> bool:
        """Tell whether the token may name a column, a table or a function."""
        return self.kind in ("word", "quoted")


def refused(reason: str, remedy: str = "") -> WarehouseError:
    """Return the error for a statement that is not run."""
    return WarehouseError(f"the statement is not run: {reason}", remedy)


def tokenize(sql: str) -> list[Token]:
    """Return the tokens of one statement, without comments and without semicolons at its end.

    Raises:
        WarehouseError: it is empty, too long, more than one statement, or holds characters with a meaning that differs
            between versions of ClickHouse.
    """
    if len(sql) > MAX_CHARACTERS:
        raise refused(f"it has {len(sql)} characters, and may have {MAX_CHARACTERS}")
    tokens: list[Token] = []
    place = 0
    while place < len(sql):
        match = _TOKEN.match(sql, place)
        if match is None:
            raise refused(f"the character {sql[place]!r} at position {place + 1} can stand in quotes only")
        if "/*" in (match["comment"] or ""):
            raise refused("a comment holds the beginning of another")
        if match.lastgroup is not None and match["space"] is None:
            tokens.append(_token(match, tokens[-1] if tokens else None))
        place = match.end()
    return _one_statement(tokens)


def matching(tokens: list[Token]) -> dict[int, int]:
    """Return the place of the closing bracket of each opening one.

    Raises:
        WarehouseError: brackets do not match, or are nested too deeply.
    """
    found: dict[int, int] = {}
    open_at: list[int] = []
    for place, token in enumerate(tokens):
        if token.kind != "mark":
            continue
        if token.text in _OPENING:
            open_at.append(place)
        elif token.text in _OPENING.values():
            if not open_at or _OPENING[tokens[open_at[-1]].text] != token.text:
                raise refused(f"the bracket {token.text} closes nothing")
            found[open_at.pop()] = place
        if len(open_at) > MAX_DEPTH:
            raise refused(f"brackets are nested more than {MAX_DEPTH} deep")
    if open_at:
        raise refused(f"the bracket {tokens[open_at[-1]].text} is not closed")
    return found


def _token(match: re.Match[str], before: Token | None) -> Token:
    text = match[0]
    if match["quoted"] is not None:
        name = text[1:-1]
        if "\\" in name or not name.isprintable() or text[0] in name:
            raise refused(f"the name {text} holds characters that no name of ours has")
        return Token("quoted", name)
    if match["word"] is not None:
        # `AS where` names an alias, and `t.where` a column.
        names = before is not None and (before.keyword == "AS" or before.text == ".")
        return Token("word", text, "" if names else text.upper())
    return Token("string" if match["string"] is not None else "number" if match["number"] is not None else "mark", text)


def _one_statement(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1].kind == "mark" and tokens[-1].text == ";":
        tokens.pop()
    if not tokens:
        raise refused("it is empty")
    if any(token.kind == "mark" and token.text == ";" for token in tokens):
        raise refused("it is more than one statement", "run one at a time")
    return tokens
