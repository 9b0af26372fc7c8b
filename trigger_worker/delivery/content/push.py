"""`NAME.push.yaml`: the fields of a notification, each text a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from trigger_worker.delivery.content.bounds import one_line
from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.fields import read_fields, require, text_template
from trigger_worker.delivery.content.filters import page_address
from trigger_worker.delivery.content.model import PushContent, PushUrgency
from warehouse.errors import TemplateError

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
