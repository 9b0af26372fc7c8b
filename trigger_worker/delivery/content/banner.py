"""`NAME.banner.yaml`: the fields of a banner, each text a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from trigger_worker.delivery.content.banner_parts import DISPLAY_KEYS, read_countdown, read_display, read_theme
from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.fields import Texts, read_fields, refuse_problems, require
from trigger_worker.delivery.content.filters import page_address
from trigger_worker.delivery.content.model import (
    BannerContent,
    BannerForm,
    BannerLabels,
    BannerPlace,
    BannerPosition,
    CallToAction,
)
from trigger_worker.rules.files.fields import Fields
from warehouse.errors import TemplateError

#: Texts of a banner, with the most characters that each may have once rendered.
_LONGEST: Final[Mapping[str, int]] = {"title": 120, "text": 500, "image": 2000, "dismiss": 60, "coupon": 60}
_LONGEST_OF_CALL: Final[Mapping[str, int]] = {"label": 60, "url": 2000}
_LONGEST_OF_LABELS: Final[Mapping[str, int]] = {"close": 60, "copy": 60, "copied": 60}
_LONGEST_SELECTOR: Final = 200

BANNER_KEYS: Final = (
    *("form", "title", "position", "selector", "place", "text", "image", "cta", "dismiss", "coupon"),
    *("countdown", "labels", "theme", *DISPLAY_KEYS),
)
_FORMS: Final[tuple[BannerForm, ...]] = get_args(BannerForm)
_PLACES: Final[tuple[BannerPlace, ...]] = get_args(BannerPlace)
#: The edges that each form may keep to; the first is its own choice.
_POSITIONS: Final[Mapping[str, tuple[BannerPosition, ...]]] = {
    "bar": ("bottom", "top"),
    "slide_in": ("right", "left"),
    "toast": ("bottom", "top"),
}


class BannerTemplate:
    """A banner whose texts still wait for the facts.

    Args:
        source: the content of the file.
        path: how errors call it.
        engine: compiles the texts.

    Raises:
        TemplateError: naming file, line and column.
    """

    def __init__(self, source: str, path: str, engine: TextEngine) -> None:
        fields = read_fields(source, path, BANNER_KEYS, "a banner")
        require(fields, ("form", "title"), "a banner")
        form = fields.choice("form", _FORMS)
        call = fields.mapping("cta", _LONGEST_OF_CALL, "a call to action")
        labels = fields.mapping("labels", _LONGEST_OF_LABELS, "labels")
        self._theme, self._display = read_theme(fields), read_display(fields)
        self._countdown = read_countdown(fields, engine)
        refuse_problems(fields.source)
        if call is not None:
            require(call, _LONGEST_OF_CALL, "a call to action")
        self._path = path
        self._form = next(known for known in _FORMS if known == form)
        self._position = _position(fields, self._form)
        self._selector, self._place = _slot(fields, self._form)
        refuse_problems(fields.source)
        self._texts = Texts(fields, engine, _LONGEST)
        self._call = None if call is None else Texts(call, engine, _LONGEST_OF_CALL)
        self._labels = None if labels is None else Texts(labels, engine, _LONGEST_OF_LABELS)

    def render(self, names: Mapping[str, object]) -> BannerContent:
        """Fills in the facts. Addresses that a browser should not follow are left out, and a call to action
        without an address or a label with them, and a countdown without an instant.

        Raises:
            TemplateError: also when nothing is left of the title.
        """
        texts = self._texts.render(names)
        if not texts["title"]:
            raise TemplateError(f"{self._path}: the title renders to nothing", "give its facts a default(...)")
        return BannerContent(
            form=self._form,
            position=self._position,
            selector=self._selector,
            place=self._place,
            title=texts["title"],
            text=texts["text"],
            image=page_address(texts["image"]),
            cta=self._call_to_action(names),
            dismiss=texts["dismiss"],
            coupon=texts["coupon"],
            countdown=self._countdown.render(names) if self._countdown else None,
            labels=BannerLabels(**self._labels.render(names)) if self._labels else None,
            theme=self._theme,
            display=self._display,
        )

    def _call_to_action(self, names: Mapping[str, object]) -> CallToAction | None:
        if self._call is None:
            return None
        texts = self._call.render(names)
        label, url = texts["label"], page_address(texts["url"])
        return CallToAction(label=label, url=url) if label and url else None


def _position(fields: Fields, form: BannerForm) -> BannerPosition | None:
    node, allowed = fields.node_of("position"), _POSITIONS.get(form, ())
    if node is not None and not allowed:
        fields.source.report(node, f"{form} has no position", "leave it out")
        return None
    position = fields.choice("position", allowed)
    return next((known for known in allowed if known == position), None)


def _slot(fields: Fields, form: BannerForm) -> tuple[str, BannerPlace | None]:
    """Reads where in the page an inline banner belongs; no other form has a place there."""
    if form == "inline":
        require(fields, ("selector",), "an inline banner")
    for key in ("selector", "place"):
        node = fields.node_of(key)
        if node is not None and form != "inline":
            fields.source.report(node, f"{form} has no {key}", "only form: inline does")
    place = fields.choice("place", _PLACES)
    selector = (fields.text("selector") or "").strip()
    if len(selector) > _LONGEST_SELECTOR:
        fields.source.report(fields.node, f"expected a selector of at most {_LONGEST_SELECTOR} characters")
    return selector, next((known for known in _PLACES if known == place), None)
