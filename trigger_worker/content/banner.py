"""`NAME.banner.yaml`: the fields of a banner, each text a template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, get_args

from trigger_worker.content.bounds import one_line
from trigger_worker.content.engine import TextEngine
from trigger_worker.content.fields import read_fields, require, text_template
from trigger_worker.content.filters import web_address
from trigger_worker.content.model import BannerContent, BannerForm, BannerPosition, CallToAction, Theme
from trigger_worker.rules.fields import Fields
from warehouse.errors import RuleError, TemplateError

#: Texts of a banner, with the most characters that each may have once rendered.
_LONGEST: Final[Mapping[str, int]] = {"title": 120, "text": 500, "image": 2000, "dismiss": 60, "coupon": 60}
_LONGEST_OF_CALL: Final[Mapping[str, int]] = {"label": 60, "url": 2000}

_KEYS: Final = ("form", "title", "position", "text", "image", "cta", "dismiss", "coupon", "theme")
_THEME_KEYS: Final = ("background", "color", "accent")
_FORMS: Final[tuple[BannerForm, ...]] = get_args(BannerForm)
_POSITIONS: Final[tuple[BannerPosition, ...]] = get_args(BannerPosition)
_COLOUR: Final = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


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
        fields = read_fields(source, path, _KEYS, "a banner")
        form, position = fields.choice("form", _FORMS), fields.choice("position", _POSITIONS)
        self._theme = _theme(fields)
        call = fields.mapping("cta", _LONGEST_OF_CALL, "a call to action")
        require(fields, ("form", "title"), "a banner")
        if call is not None:
            require(call, _LONGEST_OF_CALL, "a call to action")
        self._path = path
        self._form = next(known for known in _FORMS if known == form)
        self._position = next((known for known in _POSITIONS if known == position), None)
        self._texts = _Texts(fields, engine, _LONGEST)
        self._call = None if call is None else _Texts(call, engine, _LONGEST_OF_CALL)

    def render(self, names: Mapping[str, object]) -> BannerContent:
        """Fills in the facts. Addresses that a browser should not follow are left out, and a call to action
        without an address or a label with them.

        Raises:
            TemplateError: also when nothing is left of the title.
        """
        texts = self._texts.render(names)
        if not texts["title"]:
            raise TemplateError(f"{self._path}: the title renders to nothing", "give its facts a default(...)")
        return BannerContent(
            form=self._form,
            position=self._position,
            title=texts["title"],
            text=texts["text"],
            image=_followable(texts["image"]),
            cta=self._call_to_action(names),
            dismiss=texts["dismiss"],
            coupon=texts["coupon"],
            theme=self._theme,
        )

    def _call_to_action(self, names: Mapping[str, object]) -> CallToAction | None:
        if self._call is None:
            return None
        texts = self._call.render(names)
        label, url = texts["label"], _followable(texts["url"])
        return CallToAction(label=label, url=url) if label and url else None


class _Texts:
    """The texts of one mapping, each bounded to one line."""

    def __init__(self, fields: Fields, engine: TextEngine, longest: Mapping[str, int]) -> None:
        self._longest = longest
        self._templates = {key: text_template(fields, key, engine) for key in longest}

    def render(self, names: Mapping[str, object]) -> dict[str, str]:
        """Gives every text; those that the file leaves out are empty."""
        return {
            key: one_line(template.render(names), self._longest[key]) if template else ""
            for key, template in self._templates.items()
        }


def _theme(banner: Fields) -> Theme | None:
    fields = banner.mapping("theme", _THEME_KEYS, "a theme")
    if fields is None:
        return None
    colours = {key: fields.parsed(key, _colour) for key in _THEME_KEYS}
    return Theme(**{key: colour for key, colour in colours.items() if colour})


def _colour(text: str) -> str:
    if not _COLOUR.fullmatch(text):
        raise RuleError(f'expected a colour such as "#1f6feb", found "{text}"', "quote it")
    return text


def _followable(url: str) -> str:
    """Gives the address back when it is http(s) or starts at the site's root, else nothing."""
    starts_at_root = url.startswith("/") and not url.startswith(("//", "/\\"))
    return url if starts_at_root else web_address(url)
