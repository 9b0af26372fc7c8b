"""`NAME.webhook.json`: a JSON document whose texts are templates.

A text that is one single expression, such as `"{{ cart.value }}"`, becomes its value: a number stays a number, and a
missing fact null. Any other stays a text. Since the document is taken apart before the facts come in, no fact can
change its shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final, get_args

import msgspec

from trigger_worker.delivery.content.engine import LONGEST_TEXT, TextEngine
from trigger_worker.delivery.content.fields import one_line, read_fields, require, text_template
from trigger_worker.delivery.content.filters import page_address
from trigger_worker.delivery.content.model import PushContent, PushUrgency, WebhookContent
from warehouse.errors import TemplateError

_JSON_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_EXPRESSION: Final = re.compile(r"\{\{((?:(?!\}\}|\{\{).)+)\}\}", re.DOTALL)

#: Fills the facts into one part of the document.
Part = Callable[[Mapping[str, object]], object]


class WebhookTemplate:
    """A JSON document whose texts still wait for the facts.

    Args:
        source: the content of the file.
        path: how errors call it.
        engine: compiles the texts.

    Raises:
        TemplateError: naming file and line.
    """

    def __init__(self, source: str, path: str, engine: TextEngine) -> None:
        try:
            document = json.loads(source)
        except json.JSONDecodeError as error:
            place = f"{path}:{error.lineno}:{error.colno}"
            raise TemplateError(f"{place}: not JSON: {error.msg}", "correct the document there") from error
        self._path = path
        self._engine = engine
        self._lines = _lines_of_strings(source)
        self._document = self._compile(document)

    def render(self, names: Mapping[str, object]) -> WebhookContent:
        """Fills in the facts.

        Raises:
            TemplateError: naming file and line, or that the document is too long.
        """
        body = msgspec.json.encode(self._document(names))
        if len(body) > LONGEST_TEXT:
            raise TemplateError(f"{self._path}: renders to more than {LONGEST_TEXT} bytes", "send fewer facts")
        return WebhookContent(body=body)

    def _compile(self, part: object) -> Part:
        if isinstance(part, dict):
            members = {key: self._compile(value) for key, value in part.items()}
            return lambda names: {key: member(names) for key, member in members.items()}
        if isinstance(part, list):
            elements = [self._compile(value) for value in part]
            return lambda names: [element(names) for element in elements]
        if isinstance(part, str):
            return self._compile_text(part)
        return lambda _names: part

    def _compile_text(self, text: str) -> Part:
        line = self._lines[text]
        expression = _EXPRESSION.fullmatch(text.strip())
        if expression:
            return self._engine.value(expression[1], self._path, line=line)
        return self._engine.text(text, self._path, line=line).render


def _lines_of_strings(source: str) -> dict[str, int]:
    """The line on which each text of a JSON document first stands."""
    lines: dict[str, int] = {}
    for match in _JSON_STRING.finditer(source):
        lines.setdefault(json.loads(match[0]), source.count("\n", 0, match.start()) + 1)
    return lines


#: Texts of a notification, with the most characters that each may have: a push service takes 4 KiB, encrypted.
_LONGEST: Final[Mapping[str, int]] = {"title": 120, "text": 300, "icon": 400, "image": 400, "url": 400}
_ADDRESSES: Final = ("icon", "image", "url")
_URGENCIES: Final[tuple[PushUrgency, ...]] = get_args(PushUrgency)


class PushTemplate:
    """A notification whose texts still wait for the facts.

    Args:
        source: the content of the file.
        path: how errors call it.
        engine: compiles the texts.

    Raises:
        TemplateError: naming file, line and column.
    """

    def __init__(self, source: str, path: str, engine: TextEngine) -> None:
        fields = read_fields(source, path, (*_LONGEST, "urgency"), "a notification")
        urgency = fields.choice("urgency", _URGENCIES)
        require(fields, ("title",), "a notification")
        self._path = path
        self._urgency: PushUrgency = next((known for known in _URGENCIES if known == urgency), "normal")
        self._texts = {key: text_template(fields, key, engine) for key in _LONGEST}

    def render(self, names: Mapping[str, object]) -> PushContent:
        """Fills in the facts. Addresses that a browser should not follow are left out.

        Raises:
            TemplateError: also when nothing is left of the title.
        """
        texts = {
            key: one_line(template.render(names), _LONGEST[key]) if template else ""
            for key, template in self._texts.items()
        }
        if not texts["title"]:
            raise TemplateError(f"{self._path}: the title renders to nothing", "give its facts a default(...)")
        addresses = {key: page_address(texts.pop(key)) for key in _ADDRESSES}
        return PushContent(**texts, **addresses, urgency=self._urgency)
