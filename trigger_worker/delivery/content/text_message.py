"""Templates that are one text: `NAME.sms.txt` for telephones and `NAME.chat.txt` for a team's chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.fields import require_text, several_lines
from trigger_worker.delivery.content.model import Content

#: Most characters of a rendered text message; providers refuse more than 1,600.
LONGEST_SMS: Final = 1_000
#: Most characters of a rendered chat message; Slack cuts far longer texts, and nobody reads them.
LONGEST_CHAT: Final = 4_000

#: The GSM 03.38 alphabet; each of its letters takes one place of a segment.
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: The extension table of GSM 03.38; each of its letters takes two places.
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")

#: Places of a segment: of a text with one segment, and of one with several, which lose some to the header that joins
#: them.
_GSM_ALONE: Final = 160
_GSM_JOINED: Final = 153
_UCS2_ALONE: Final = 70
_UCS2_JOINED: Final = 67

#: https://docs.slack.dev/messaging/formatting-message-text, "Escaping text"
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SmsContent(Content, frozen=True):
    """A rendered text message.

    Args:
        text: the text; lines are separated by line feeds.
        segments: the number of parts that networks cut the text into, each of which is paid for.
    """

    opening: ClassVar[str] = "text"

    text: str
    segments: int


class ChatContent(Content, frozen=True):
    """A rendered chat message, in Slack's markup."""

    opening: ClassVar[str] = "text"

    text: str


class _TextFile:
    """A template file that is one text and renders to one text of bounded length.

    Args:
        source: the text of the file.
        path: the file's path, for error messages.
        engine: compiles the text.

    Raises:
        TemplateError: the text is no template; the error names file and line.
    """

    longest: ClassVar[int]

    def __init__(self, source: str, path: str, engine: TextEngine) -> None:
        self._path = path
        self._text = engine.text(source, path)

    def _fill(self, names: Mapping[str, object]) -> str:
        return require_text(several_lines(self._text.render(names), self.longest), self._path, "the text")


class SmsTemplate(_TextFile):
    """The template of a text message."""

    longest = LONGEST_SMS

    def render(self, names: Mapping[str, object]) -> SmsContent:
        """Render the text message.

        Raises:
            TemplateError: the facts cannot be filled in, or the rendered text is empty.
        """
        text = self._fill(names)
        return SmsContent(text, count_segments(text))


class ChatTemplate(_TextFile):
    """The template of a chat message; its engine must escape facts with `escape_chat`."""

    longest = LONGEST_CHAT

    def render(self, names: Mapping[str, object]) -> ChatContent:
        """Render the chat message.

        Raises:
            TemplateError: the facts cannot be filled in, or the rendered text is empty.
        """
        return ChatContent(self._fill(names))


def escape_chat(text: str) -> str:
    """Escape a fact for Slack's markup, so that it shows as plain text."""
    return text.translate(_ESCAPES)


def count_segments(text: str) -> int:
    """Return the number of segments that networks cut a text message into.

    One letter outside the GSM alphabet makes every segment shorter. A letter of two places is never cut in the
    middle, so such letters may need one segment more than the sum of their places.
    """
    if all(character in _BASIC or character in _EXTENDED for character in text):
        return _segments([2 if character in _EXTENDED else 1 for character in text], _GSM_ALONE, _GSM_JOINED)
    return _segments([2 if ord(character) > 0xFFFF else 1 for character in text], _UCS2_ALONE, _UCS2_JOINED)


def _segments(places: list[int], alone: int, joined: int) -> int:
    if sum(places) <= alone:
        return 1
    segments, used = 1, 0
    for place in places:
        if used + place > joined:
            segments, used = segments + 1, 0
        used += place
    return segments
