"""`NAME.chat.txt`: a message to a channel of a chat, in Slack's markup.

What the template writes is markup: `<https://shop.example|the shop>` is a link, `*bold*` is bold. Facts are text: they
are escaped as Slack asks, so that no visitor's name calls `<!channel>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trigger_worker.delivery.content.bounds import several_lines
from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.model import ChatContent
from warehouse.errors import TemplateError

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
