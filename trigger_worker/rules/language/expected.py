"""Describe for the author what the grammar would have taken at a place, and what it found there."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Final

_VALUE: Final = frozenset({"NUMBER", "STRING", "NAME", "MINUS"})
_LITERAL: Final = frozenset({"NUMBER", "STRING", "TRUE"})
_EVENT: Final = frozenset({"NAME", "ANY"})
_EVENT_OF_MANY: Final = frozenset({"NAME", "STRING"})

#: Terminals and their words, the most telling first.
_WORDS: Final = (
    ("DURATION", "a duration such as 15m"),
    ("STRING", 'a text in quotes such as "/pricing*"'),
    ("NUMBER", "a number"),
    ("NAME", "a name"),
    ("COMPARE", "an operator"),
    ("_WITHIN", "within"),
    ("_AND", "and"),
    ("_OR", "or"),
    ("COMMA", "a comma"),
    ("RSQB", "]"),
    ("RPAR", ")"),
    ("__ANON_0", "->"),
    ("$END", "the end"),
)

_LIST: Final = 'a list such as ["US", "CA"]'

#: Spellings of other languages, with how to write the same here.
_HABITS: Final = {
    "=": "write == to compare",
    "&&": "write and",
    "||": "write or",
    "!": "write not",
    "&": "write and",
    "|": "write or",
    "<>": "write != for unequal",
    "in": "write VALUE in [A, B]",
    "not": "`not` stands before a whole comparison, as in not country in [...]",
}

_WORD: Final = re.compile(r"->|&&|\|\||<>|[\w.]+|\"[^\"\n]*\"?|'[^'\n]*'?|\S")


def describe_expected(accepted: Set[str]) -> str:
    """Return the accepted terminals in words, joined by commas and a final or."""
    words = _leading_words(accepted)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _leading_words(accepted: Set[str]) -> list[str]:
    if accepted >= _VALUE:
        return ["a value"]
    if accepted == _EVENT_OF_MANY:
        return ["an event such as view_item"]
    if accepted >= _EVENT:
        return ["an event such as view_item", "no"] if "_NO" in accepted else ["an event such as view_item"]
    if accepted == {"LSQB"}:
        return [_LIST]
    if accepted >= _LITERAL:
        return ["a text in quotes", "a number"]
    spare = {"_AND", "_OR"} if "COMPARE" in accepted else set()
    return [words for terminal, words in _WORDS if terminal in accepted - spare]


def describe_found(text: str, start: int) -> str:
    """Return the word at an offset, in quotes unless it is quoted already."""
    word = word_at(text, start)
    if not word:
        return "the end"
    return word if word[0] in "\"'" else f'"{word}"'


def word_at(text: str, start: int) -> str:
    """Return the word or the sign that begins at an offset; empty at the end of the text."""
    found = _WORD.match(text, start)
    return found.group()[:60] if found else ""


def habit_hint(text: str, start: int, accepted: Set[str]) -> str:
    """Return how to write a spelling of another language here, or an empty text when the word is none."""
    if word_at(text, start) == "->" and accepted == {"$END"} and "no" in text[:start].split():
        return "an absence (`no ... within ...`) is always the last part"
    return _HABITS.get(word_at(text, start), "")
