"""Reads the YAML parts of templates; what does not fit is a TemplateError with its place."""

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


def read_fields(text: str, path: str, known: Iterable[str], what: str) -> Fields:
    """Reads a document that is one mapping.

    Args:
        text: the YAML.
        path: how errors call its file.
        known: the keys that it may have.
        what: what the mapping is, for messages: `a banner`.

    Raises:
        TemplateError: when it is anything else, or has another key.
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


def text_template(fields: Fields, key: str, engine: TextEngine) -> TextTemplate | None:
    """Compiles the text of a key; None when the key is absent.

    Raises:
        TemplateError: when the value is no text, or the text no template.
    """
    text = fields.text(key)
    refuse_problems(fields.source)
    return None if text is None else engine.text(text, fields.source.path, line=_first_line(fields, key))


def _first_line(fields: Fields, key: str) -> int:
    """Returns where the text of a key begins: a block that `|` announces, on the line after that."""
    node = fields.node_of(key)
    is_block = isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}
    return fields.line_of(key) + is_block


def require(fields: Fields, keys: Iterable[str], what: str) -> None:
    """Makes sure that a mapping has all of these keys.

    Raises:
        TemplateError: naming the place of the mapping and the first key that it lacks.
    """
    for key in keys:
        if key not in fields:
            fields.source.report(fields.node, f"{what} needs {key}", f"add {key}: and its value")
    refuse_problems(fields.source)


class Texts:
    """The texts of one mapping, each one line of at most so many characters.

    Args:
        fields: the mapping.
        engine: compiles the texts.
        longest: the most characters of each once rendered, by key.

    Raises:
        TemplateError: when a value is no text, or a text no template.
    """

    def __init__(self, fields: Fields, engine: TextEngine, longest: Mapping[str, int]) -> None:
        self._longest = longest
        self._templates = {key: text_template(fields, key, engine) for key in longest}

    def render(self, names: Mapping[str, object]) -> dict[str, str]:
        """Gives every text; those that the file leaves out are empty.

        Raises:
            TemplateError: when a text cannot be rendered.
        """
        return {
            key: one_line(template.render(names), self._longest[key]) if template else ""
            for key, template in self._templates.items()
        }


def refuse_problems(source: Source) -> None:
    """Raises the first problem that was found in a file, if any was."""
    for problem in source.problems:
        place = f"{problem.path}:{problem.line}:{problem.column}"
        raise TemplateError(f"{place}: {problem.message}", problem.hint or "correct the value there")


_BLANKS: Final = re.compile(r"\s+")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")

#: Unicode categories that steer a terminal, a header or the direction of text instead of being read.
_UNREADABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str, longest: int) -> str:
    """Makes a text one line without control characters, cut with an ellipsis after so many characters."""
    readable = "".join(" " if _is_unreadable(character) else character for character in text)
    line = _BLANKS.sub(" ", readable).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def several_lines(text: str, longest: int) -> str:
    """Makes a text without control characters but line feeds, cut with three dots after so many characters.

    No two lines in a row are empty. The dots are dots, because an ellipsis is no letter of a text message.
    """
    lines = [one_line(line, longest + 1) for line in text.splitlines()]
    joined = _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
    return joined if len(joined) <= longest else joined[: longest - 3].rstrip() + "..."


def _is_unreadable(character: str) -> bool:
    return unicodedata.category(character) in _UNREADABLE or character in _DIRECTION_OVERRIDES
