"""Reads the YAML parts of templates: their keys, their texts, and the bounds of a rendered text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

import yaml

from trigger_worker.delivery.content.engine import TextEngine, TextTemplate
from trigger_worker.rules.files.fields import Fields, found_in
from trigger_worker.rules.files.source import Source
from warehouse.errors import TemplateError

_BLANKS: Final = re.compile(r"\s+")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")
#: Unicode categories that steer a terminal, a header or the direction of text instead of being read.
_UNREADABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Texts:
    """The texts of one YAML mapping, each of which renders to one line of bounded length.

    Args:
        fields: the mapping.
        engine: compiles the texts.
        longest: by key, the most characters of the rendered text.

    Raises:
        TemplateError: a value is no text, or a text is no template.
    """

    def __init__(self, fields: Fields, engine: TextEngine, longest: Mapping[str, int]) -> None:
        self._longest = longest
        self._templates = {key: text_template(fields, key, engine) for key in longest}

    def render(self, names: Mapping[str, object]) -> dict[str, str]:
        """Render the text of every key; a key that the file leaves out renders to ''.

        Raises:
            TemplateError: a text cannot be rendered.
        """
        return {
            key: one_line(template.render(names), self._longest[key]) if template else ""
            for key, template in self._templates.items()
        }


def read_fields(text: str, path: str, known: Iterable[str], what: str) -> Fields:
    """Read a YAML document that is one mapping.

    Args:
        text: the YAML.
        path: the file's path, for error messages.
        known: the keys that the mapping may have.
        what: a noun for the mapping, for error messages: `a banner`.

    Raises:
        TemplateError: the document is no mapping, or has another key.
    """
    source = Source(path, text)
    root = source.compose()
    refuse_problems(source)
    if not isinstance(root, yaml.MappingNode):
        found = "nothing" if root is None else found_in(root)
        raise TemplateError(f"{path}:1:1: expected {what}, found {found}", f"write keys such as {', '.join(known)}")
    fields = Fields(source, root, known, what)
    refuse_problems(source)
    return fields


def require(fields: Fields, keys: Iterable[str], what: str) -> None:
    """Check that a mapping has all of the given keys.

    Raises:
        TemplateError: a key is missing; the error names the mapping's place and the first missing key.
    """
    for key in keys:
        if key not in fields:
            fields.source.report(fields.node, f"{what} needs {key}", f"add {key}: and its value")
    refuse_problems(fields.source)


def refuse_problems(source: Source) -> None:
    """Raise the first problem that was found in a file, if there is one.

    Raises:
        TemplateError: the problem, with file, line and column.
    """
    for problem in source.problems:
        place = f"{problem.path}:{problem.line}:{problem.column}"
        raise TemplateError(f"{place}: {problem.message}", problem.hint or "correct the value there")


def text_template(fields: Fields, key: str, engine: TextEngine) -> TextTemplate | None:
    """Compile the text of a key; return None when the mapping has no such key.

    Raises:
        TemplateError: the value is no text, or the text is no template.
    """
    text = fields.text(key)
    refuse_problems(fields.source)
    return None if text is None else engine.text(text, fields.source.path, line=_first_line(fields, key))


def require_text(text: str, path: str, what: str) -> str:
    """Return a rendered text, which must not be empty.

    Args:
        text: the rendered text.
        path: the template file's path, for the error message.
        what: a noun for the text, for the error message: `the subject`.

    Raises:
        TemplateError: the text is empty.
    """
    if not text:
        raise TemplateError(f"{path}: {what} renders to nothing", "give its facts a default(...)")
    return text


def one_line(text: str, longest: int) -> str:
    """Return a text as one line without control characters, cut with an ellipsis after `longest` characters."""
    readable = "".join(" " if _is_unreadable(character) else character for character in text)
    line = _BLANKS.sub(" ", readable).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def several_lines(text: str, longest: int) -> str:
    """Return a text without control characters but line feeds, cut with three dots after `longest` characters.

    No two lines in a row are empty. The text is cut with dots because the GSM alphabet of text messages has no
    ellipsis.
    """
    lines = [one_line(line, longest + 1) for line in text.splitlines()]
    joined = _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
    return joined if len(joined) <= longest else joined[: longest - 3].rstrip() + "..."


def _first_line(fields: Fields, key: str) -> int:
    """Return the line on which the text of a key begins: a block that `|` announces begins on the next line."""
    node = fields.node_of(key)
    is_block = isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}
    return fields.line_of(key) + is_block


def _is_unreadable(character: str) -> bool:
    return unicodedata.category(character) in _UNREADABLE or character in _DIRECTION_OVERRIDES
