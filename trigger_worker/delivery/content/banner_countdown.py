"""The `countdown` of a banner's template."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.fields import Texts
from trigger_worker.delivery.content.model import Countdown
from trigger_worker.rules.files.fields import Fields
from warehouse.errors import TemplateError

_LONGEST: Final[Mapping[str, int]] = {"until": 60, "label": 60}


class CountdownTemplate:
    """A countdown whose instant may still wait for the facts.

    Args:
        fields: the mapping.
        engine: compiles the texts.

    Raises:
        TemplateError: when a text is no template.
    """

    def __init__(self, fields: Fields, engine: TextEngine) -> None:
        self._place = f"{fields.source.path}:{fields.line_of('until')}"
        self._for_ms = fields.duration_ms("for") or 0
        self._texts = Texts(fields, engine, _LONGEST)

    def render(self, names: Mapping[str, object]) -> Countdown | None:
        """Fills in the facts; None when nothing is known of the instant.

        Raises:
            TemplateError: when the instant is none, or leaves open where in the world it is meant.
        """
        texts = self._texts.render(names)
        if self._for_ms:
            return Countdown(for_ms=self._for_ms, label=texts["label"])
        return Countdown(until=self._instant(texts["until"]), label=texts["label"]) if texts["until"] else None

    def _instant(self, text: str) -> str:
        expected = f'{self._place}: until: expected an instant such as 2026-12-01T00:00:00+01:00, found "{text}"'
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise TemplateError(expected, "write date, time and offset") from error
        if moment.tzinfo is None:
            raise TemplateError(expected, "add an offset such as +01:00, or Z")
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read_countdown(banner: Fields, engine: TextEngine) -> CountdownTemplate | None:
    """Reads the countdown; what does not fit becomes a problem of the file.

    Raises:
        TemplateError: when a text is no template.
    """
    fields = banner.mapping("countdown", ("until", "for", "label"), "a countdown")
    if fields is None:
        return None
    if ("until" in fields) == ("for" in fields):
        fields.source.report(fields.node, "a countdown needs either until or for", "keep one of them")
    return CountdownTemplate(fields, engine)
