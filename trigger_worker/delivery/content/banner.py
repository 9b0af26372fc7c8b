"""Templates of banners, `NAME.banner.yaml`, and the JSON of a rendered banner that pages read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal, get_args

import msgspec

from trigger_worker.delivery.content.banner_parts import (
    DISPLAY_KEYS,
    Countdown,
    Display,
    Theme,
    read_countdown,
    read_display,
    read_theme,
)
from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.fields import Texts, read_fields, refuse_problems, require, require_text
from trigger_worker.delivery.content.filters import page_address
from trigger_worker.delivery.content.model import Content
from trigger_worker.rules.files.fields import Fields

BannerForm = Literal["bar", "modal", "slide_in", "toast", "inline"]
BannerPosition = Literal["top", "bottom", "left", "right"]
#: Where an inline banner stands: inside the element, at its end or beginning, or beside it.
BannerPlace = Literal["append", "prepend", "before", "after"]

#: The texts of a banner, with the most characters of each once rendered.
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
#: The edges of the page that each form may stand at; the first is its default.
_POSITIONS: Final[Mapping[str, tuple[BannerPosition, ...]]] = {
    "bar": ("bottom", "top"),
    "slide_in": ("right", "left"),
    "toast": ("bottom", "top"),
}


class CallToAction(msgspec.Struct, frozen=True):
    """The link that a banner invites to follow; the address is http(s), or starts at the site's root."""

    label: str
    url: str


class BannerLabels(msgspec.Struct, frozen=True, omit_defaults=True):
    """The words on a banner's small controls; '' for the SDK's own, which are English."""

    close: str = ""
    copy: str = ""
    copied: str = ""


class BannerContent(Content, frozen=True, kw_only=True, omit_defaults=True):
    """A rendered on-site banner; every text is plain text, never markup.

    Args:
        selector: the CSS selector of the element that an inline banner belongs to; '' for other forms.
        place: where in or beside that element the banner stands; None for inside it, at its end.
    """

    opening: ClassVar[str] = "title"

    form: BannerForm
    title: str
    position: BannerPosition | None = None
    selector: str = ""
    place: BannerPlace | None = None
    text: str = ""
    image: str = ""
    cta: CallToAction | None = None
    dismiss: str = ""
    coupon: str = ""
    countdown: Countdown | None = None
    labels: BannerLabels | None = None
    theme: Theme | None = None
    display: Display | None = None


class BannerTemplate:
    """The template of a banner.

    Args:
        source: the text of the file.
        path: the file's path, for error messages.
        engine: compiles the texts.

    Raises:
        TemplateError: the file has a mistake; the error names file, line and column.
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
        """Render the banner.

        Addresses that a browser should not follow are left out, and so are a call to action without an address or a
        label, and a countdown without an instant.

        Raises:
            TemplateError: the facts cannot be filled in, or the rendered title is empty.
        """
        texts = self._texts.render(names)
        return BannerContent(
            form=self._form,
            position=self._position,
            selector=self._selector,
            place=self._place,
            title=require_text(texts["title"], self._path, "the title"),
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


def banner_payload(content: BannerContent, envelope: Mapping[str, str]) -> bytes:
    """Return a banner as pages read it: one JSON object in UTF-8.

    Args:
        content: the rendered banner.
        envelope: the properties of the message that the page reports back or goes by, such as `message_id` and
            `expires_at`.
    """
    shown = {name: value for name, value in msgspec.to_builtins(content).items() if value is not None}
    return msgspec.json.encode({**envelope, **shown})


def _position(fields: Fields, form: BannerForm) -> BannerPosition | None:
    node, allowed = fields.node_of("position"), _POSITIONS.get(form, ())
    if node is not None and not allowed:
        fields.source.report(node, f"{form} has no position", "leave it out")
        return None
    position = fields.choice("position", allowed)
    return next((known for known in allowed if known == position), None)


def _slot(fields: Fields, form: BannerForm) -> tuple[str, BannerPlace | None]:
    """Return the selector and the place of an inline banner; other forms may not have them."""
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
