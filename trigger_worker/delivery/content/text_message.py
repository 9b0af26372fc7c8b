"""`NAME.sms.txt`: the text of a message to a phone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.fields import several_lines
from trigger_worker.delivery.content.model import ChatContent, SmsContent
from warehouse.errors import TemplateError

#: Characters; providers refuse more than 1,600.
LONGEST_SMS: Final = 1_000


class SmsTemplate:
    """A text message that still waits for the facts.

    Args:
        source: the content of the file.
        path: how errors call it.
        engine: compiles the text.

    Raises:
        TemplateError: naming file and line.
    """

    def __init__(self, source: str, path: str, engine: TextEngine) -> None:
        self._path = path
        self._text = engine.text(source, path)

    def render(self, names: Mapping[str, object]) -> SmsContent:
        """Fills in the facts.

        Raises:
            TemplateError: also when nothing is left of the text.
        """
        text = several_lines(self._text.render(names), LONGEST_SMS)
        if not text:
            raise TemplateError(f"{self._path}: the text renders to nothing", "give its facts a default(...)")
        return SmsContent(text, count_segments(text))


_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Each of them takes two places.
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")

_GSM_ALONE: Final = 160
_GSM_JOINED: Final = 153
_UCS2_ALONE: Final = 70
_UCS2_JOINED: Final = 67


def count_segments(text: str) -> int:
    """Return the number of parts: one letter outside the GSM alphabet makes every part shorter.

    A letter of two places is never cut in the middle, so that such letters may need a part more than their sum.
    """
    if all(character in _BASIC or character in _EXTENDED for character in text):
        return _parts([2 if character in _EXTENDED else 1 for character in text], _GSM_ALONE, _GSM_JOINED)
    return _parts([2 if ord(character) > 0xFFFF else 1 for character in text], _UCS2_ALONE, _UCS2_JOINED)


def _parts(places: list[int], alone: int, joined: int) -> int:
    if sum(places) <= alone:
        return 1
    parts, used = 1, 0
    for place in places:
        if used + place > joined:
            parts, used = parts + 1, 0
        used += place
    return parts


#: Characters; Slack cuts far longer texts, and nobody reads them.
LONGEST_CHAT: Final = 4_000

#: https://docs.slack.dev/messaging/formatting-message-text, "Escaping text"
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def escape_chat(text: str) -> str:
    """Makes a fact text, and nothing else, in Slack's markup."""
    return text.translate(_ESCAPES)


class ChatTemplate:
    """A message that still waits for the facts.

    Args:
        source: the content of the file.
        path: how errors call it.
        engine: compiles the text, and escapes facts with `escape_chat`.

    Raises:
        TemplateError: naming file and line.
    """

    def __init__(self, source: str, path: str, engine: TextEngine) -> None:
        self._path = path
        self._text = engine.text(source, path)

    def render(self, names: Mapping[str, object]) -> ChatContent:
        """Fills in the facts.

        Raises:
            TemplateError: also when nothing is left of the text.
        """
        text = several_lines(self._text.render(names), LONGEST_CHAT)
        if not text:
            raise TemplateError(f"{self._path}: the text renders to nothing", "give its facts a default(...)")
        return ChatContent(text)
