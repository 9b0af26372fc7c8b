"""Templates that are one document with texts in it: `NAME.webhook.json` and `NAME.push.yaml`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import ClassVar, Final, Literal, get_args

import msgspec

from trigger_worker.delivery.content.engine import LONGEST_TEXT, TextEngine
from trigger_worker.delivery.content.fields import Texts, read_fields, require, require_text
from trigger_worker.delivery.content.filters import page_address
from trigger_worker.delivery.content.model import Content
from warehouse.errors import TemplateError

#: The urgencies of RFC 8030, section 5.3.
PushUrgency = Literal["very-low", "low", "normal", "high"]
#: Renders one part of a JSON document with the facts of a message.
Part = Callable[[Mapping[str, object]], object]

_JSON_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_EXPRESSION: Final = re.compile(r"\{\{((?:(?!\}\}|\{\{).)+)\}\}", re.DOTALL)

#: The texts of a notification, with the most characters of each: a push service takes 4 KiB, encrypted.
_LONGEST: Final[Mapping[str, int]] = {"title": 120, "text": 300, "icon": 400, "image": 400, "url": 400}
_ADDRESSES: Final = ("icon", "image", "url")
_URGENCIES: Final[tuple[PushUrgency, ...]] = get_args(PushUrgency)


class WebhookContent(Content, frozen=True):
    """The JSON document that a webhook posts, in UTF-8."""

    body: bytes


class PushContent(Content, frozen=True, kw_only=True, omit_defaults=True):
    """A rendered browser notification; addresses are http(s), or start at the site's root.

    Args:
        url: the address that a click opens; '' for the site's root.
        urgency: how soon the push service wakes the device.
    """

    opening: ClassVar[str] = "title"

    title: str
    text: str = ""
    icon: str = ""
    image: str = ""
    url: str = ""
    urgency: PushUrgency = "normal"


class WebhookTemplate:
    """The template of a webhook's document.

    A text that is one single expression, such as `"{{ cart.value }}"`, becomes its value: a number stays a number,
    and a missing fact becomes null. Any other text stays a text. The document is parsed before the facts are filled
    in, so no fact can change its shape.

    Args:
        source: the text of the file.
        path: the file's path, for error messages.
        engine: compiles the texts.

    Raises:
        TemplateError: the file is no JSON, or a text is no template; the error names file and line.
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
        """Render the document.

        Raises:
            TemplateError: the facts cannot be filled in, or the rendered document is too long.
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


class PushTemplate:
    """The template of a browser notification.

    Args:
        source: the text of the file.
        path: the file's path, for error messages.
        engine: compiles the texts.

    Raises:
        TemplateError: the file has a mistake; the error names file, line and column.
    """

    def __init__(self, source: str, path: str, engine: TextEngine) -> None:
        fields = read_fields(source, path, (*_LONGEST, "urgency"), "a notification")
        urgency = fields.choice("urgency", _URGENCIES)
        require(fields, ("title",), "a notification")
        self._path = path
        self._urgency: PushUrgency = next((known for known in _URGENCIES if known == urgency), "normal")
        self._texts = Texts(fields, engine, _LONGEST)

    def render(self, names: Mapping[str, object]) -> PushContent:
        """Render the notification; addresses that a browser should not follow are left out.

        Raises:
            TemplateError: the facts cannot be filled in, or the rendered title is empty.
        """
        texts = self._texts.render(names)
        require_text(texts["title"], self._path, "the title")
        addresses = {key: page_address(texts.pop(key)) for key in _ADDRESSES}
        return PushContent(**texts, **addresses, urgency=self._urgency)


def _lines_of_strings(source: str) -> dict[str, int]:
    """Return the line on which each text of a JSON document first stands."""
    lines: dict[str, int] = {}
    for match in _JSON_STRING.finditer(source):
        lines.setdefault(json.loads(match[0]), source.count("\n", 0, match.start()) + 1)
    return lines
