"""`NAME.sms.txt`: the text of a message to a phone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trigger_worker.delivery.content.bounds import several_lines
from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.model import SmsContent
from trigger_worker.delivery.content.sms_segments import count_segments
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
