"""Define the findings and errors about a text of the rule language: the message, the place and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal

import msgspec

from warehouse.errors import RuleError

Severity = Literal["error", "warning"]


class Finding(msgspec.Struct, frozen=True):
    """An error or a warning about a text, for its author.

    Args:
        message: the mistake, or what was expected and what was found.
        start: offset in characters from the beginning of the text.
        hint: the text to write instead; empty when the message says it already.
        severity: an error refuses the rule, a warning does not.
    """

    message: str
    start: int
    hint: str = ""
    severity: Severity = "error"


class RuleSyntaxError(RuleError):
    """Raised for a text that the grammar refuses.

    Args:
        text: the whole text.
        finding: the mistake and its offset.
    """

    def __init__(self, text: str, finding: Finding) -> None:
        before = text[: finding.start]
        self.finding = finding
        self.line = before.count("\n") + 1
        self.column = len(before) - (before.rfind("\n") + 1) + 1
        super().__init__(f"{self.line}:{self.column}: {finding.message}", finding.hint)


class Refusal(Exception):
    """Raised while a tree is built: the text parses, but a part of it has no meaning."""

    def __init__(self, message: str, start: int, hint: str = "") -> None:
        super().__init__(message)
        self.finding = Finding(message, start, hint)


class Misplaced(Refusal):
    """Raised like Refusal, with a message that says what was expected; the parser adds what it found."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint such as `did you mean view_item?`, empty when no known name is like it."""
    found = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"did you mean {found[0]}?" if found else ""
