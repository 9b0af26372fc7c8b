"""Something wrong or doubtful in a file that an author wrote, with its place."""

from __future__ import annotations

import msgspec

from trigger_worker.rules.language.errors import Severity


class Problem(msgspec.Struct, frozen=True):
    """What to tell the author of a rule or audience file.

    Args:
        path: the file, as the author knows it.
        line: from 1.
        column: from 1.
        message: what is wrong, or what was expected and what was found.
        hint: what to write instead; empty when the message says it already.
        severity: an error refuses the rule, a warning does not.
    """

    path: str
    line: int
    column: int
    message: str
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        warning = "warning: " if self.severity == "warning" else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.path}:{self.line}:{self.column}: {warning}{self.message}{hint}"


def has_errors(problems: list[Problem]) -> bool:
    """Whether any of the problems refuses what was read."""
    return any(problem.severity == "error" for problem in problems)
