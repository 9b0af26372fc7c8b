"""Reads the YAML parts of templates; what does not fit is a TemplateError with its place."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from trigger_worker.content.engine import TextEngine, TextTemplate
from trigger_worker.rules.fields import Fields, found_in
from trigger_worker.rules.source import Source
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
    return None if text is None else engine.text(text, fields.source.path, line=fields.line_of(key))


def require(fields: Fields, keys: Iterable[str], what: str) -> None:
    """Makes sure that a mapping has all of these keys.

    Raises:
        TemplateError: naming the place of the mapping and the first key that it lacks.
    """
    for key in keys:
        if key not in fields:
            fields.source.report(fields.node, f"{what} needs {key}", f"add {key}: and its value")
    refuse_problems(fields.source)


def refuse_problems(source: Source) -> None:
    """Raises the first problem that was found in a file, if any was."""
    for problem in source.problems:
        place = f"{problem.path}:{problem.line}:{problem.column}"
        raise TemplateError(f"{place}: {problem.message}", problem.hint or "correct the value there")
