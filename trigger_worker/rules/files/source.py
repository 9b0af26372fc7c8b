"""Compose a YAML file, and report problems at their line and column, also inside a value."""

from __future__ import annotations

from typing import Final

import msgspec
import yaml

from trigger_worker.rules.language.errors import Finding, Severity

#: Larger files are refused before they are parsed.
LARGEST_FILE: Final = 256 * 1024

_BLOCK_STYLES: Final = frozenset({"|", ">"})
#: The most characters of the file between two characters of a value: the longest escape sequence, or a fold.
_LONGEST_GAP: Final = 200


class Problem(msgspec.Struct, frozen=True):
    """An error or a warning about a rule or audience file, for its author.

    Args:
        path: the file, as the author knows it.
        line: from 1.
        column: from 1.
        message: the mistake, or what was expected and what was found.
        hint: the text to write instead; empty when the message says it already.
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


class Source:
    """The text of a file, with the problems found in it so far.

    Args:
        path: the file, as problems name it.
        text: its contents.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.problems: list[Problem] = []

    def compose(self) -> yaml.Node | None:
        """Return the root node of the text; None when it is empty or, with a problem, when it is not YAML."""
        if len(self.text) > LARGEST_FILE:
            self._add(Finding(f"expected at most {LARGEST_FILE} characters, found {len(self.text)}", 0))
            return None
        try:
            return yaml.compose(self.text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            message = f"not valid YAML: {error.problem or error.context}"
            self._add(Finding(message, mark.index if mark else 0))
        except yaml.YAMLError as error:
            self._add(Finding(f"not valid YAML: {str(error).splitlines()[0]}", 0))
        except RecursionError:
            self._add(Finding("expected a rule, found YAML nested too deeply", 0))
        return None

    def report(self, node: yaml.Node, message: str, hint: str = "") -> None:
        """Add an error at the beginning of a node."""
        self._add(Finding(message, node.start_mark.index, hint))

    def report_inside(self, node: yaml.ScalarNode, finding: Finding) -> None:
        """Add a finding about the text of a value, at its place in the file."""
        place = self._index(node, finding.start)
        self._add(Finding(finding.message, place, finding.hint, finding.severity))

    def report_file(self, message: str, hint: str = "") -> None:
        """Add an error about the file as a whole."""
        self._add(Finding(message, 0, hint))

    def _add(self, finding: Finding) -> None:
        before = self.text[: finding.start]
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        self.problems.append(Problem(self.path, line, column, finding.message, finding.hint, finding.severity))

    def _index(self, node: yaml.ScalarNode, offset: int) -> int:
        """Return where in the file a character of a value stands, by walking both side by side.

        The file has quotes, escapes, folds and indentation that the value has not.
        """
        index, end = self._content_start(node), node.end_mark.index
        for character in node.value[:offset]:
            index = self._skip_to(character, index, end) + 1
        following = node.value[offset : offset + 1]
        return self._skip_to(following, index, end) if following.strip() else index

    def _content_start(self, node: yaml.ScalarNode) -> int:
        start = node.start_mark.index
        if node.style in _BLOCK_STYLES:
            header_end = self.text.find("\n", start)
            return len(self.text) if header_end < 0 else header_end + 1
        return start + 1 if node.style else start

    def _skip_to(self, character: str, index: int, end: int) -> int:
        """Return where the next such character stands; a blank may be a fold, which the next character passes over."""
        if character.isspace():
            return index if self.text[index : index + 1].isspace() else index - 1
        found = self.text.find(character, index, min(end, index + _LONGEST_GAP))
        return index if found < 0 else found


def has_errors(problems: list[Problem]) -> bool:
    """Tell whether any of the problems is an error, which refuses the rule or audience."""
    return any(problem.severity == "error" for problem in problems)
