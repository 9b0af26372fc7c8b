"""The nested parts of a banner template: when a page shows the banner, its theme, and its countdown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

import msgspec

from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.fields import Texts
from trigger_worker.rules.files.fields import Fields, parsed_scalar
from warehouse.errors import RuleError, TemplateError
from warehouse.event import format_instant
from warehouse.time_reading import EARLIEST_MS, LATEST_MS, read_time
from warehouse.time_text import TimeTrouble

BannerTrigger = Literal["load", "exit_intent", "scroll"]
OnceScope = Literal["page", "session", "visitor"]

DISPLAY_KEYS: Final = ("pages", "not_pages", "once", "delay", "on", "stay")
_SCOPES: Final[tuple[OnceScope, ...]] = get_args(OnceScope)
_MOST_PAGES: Final = 20
_LONGEST_PATH: Final = 200
_SCROLL: Final = re.compile(r"scroll\s+(\d{1,3})\s*%", re.ASCII)
_LARGEST_PCT: Final = 100
_WITHOUT_DEPTH: Final[Mapping[str, BannerTrigger]] = {"load": "load", "exit_intent": "exit_intent"}

_COLOURS: Final = ("background", "color", "accent")
_THEME_KEYS: Final = (*_COLOURS, "radius", "font")
_COLOUR: Final = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_LARGEST_RADIUS: Final = 40

#: The texts of a countdown, with the most characters of each once rendered.
_LONGEST: Final[Mapping[str, int]] = {"until": 60, "label": 60}


class Display(msgspec.Struct, frozen=True, omit_defaults=True):
    """The conditions under which a page shows a banner; all of them must hold.

    Args:
        pages: globs of the paths that the banner is for; empty for all.
        not_pages: globs of the paths that the banner is never for.
        once: the scope in which the rule's banners are shown once; None for no such limit.
        delay_ms: how long the visitor must have been on the page, in ms.
        on: the visitor's action on the page that the banner waits for.
        scroll_pct: how far down the visitor must have scrolled, in percent, for `scroll`.
        stay_ms: how long the banner stays before it closes by itself, in ms; 0 for the default of its form.
    """

    pages: tuple[str, ...] = ()
    not_pages: tuple[str, ...] = ()
    once: OnceScope | None = None
    delay_ms: int = 0
    on: BannerTrigger = "load"
    scroll_pct: int = 0
    stay_ms: int = 0


class Theme(msgspec.Struct, frozen=True, omit_defaults=True):
    """The look of a banner; properties that are left out are the SDK's defaults.

    Args:
        background, color, accent: hexadecimal colours as CSS writes them.
        radius: the radius of the corners, in CSS pixels.
        font: `inherit` for the font of the page.
    """

    background: str = ""
    color: str = ""
    accent: str = ""
    radius: int | None = None
    font: Literal["", "inherit"] = ""


class Countdown(msgspec.Struct, frozen=True, omit_defaults=True):
    """The time that is left of an offer: until an instant, or for a duration that begins when the banner is shown.

    Args:
        until: the instant, in UTC; '' when the duration counts.
        for_ms: the duration, in ms; 0 when the instant counts.
        label: the text beside the countdown.
    """

    until: str = ""
    for_ms: int = 0
    label: str = ""


class CountdownTemplate:
    """A countdown whose instant may depend on the facts of a message.

    Args:
        fields: the mapping `countdown` of a banner.
        engine: compiles the texts.

    Raises:
        TemplateError: a text is no template.
    """

    def __init__(self, fields: Fields, engine: TextEngine) -> None:
        self._place = f"{fields.source.path}:{fields.line_of('until')}"
        self._for_ms = fields.duration_ms("for") or 0
        self._texts = Texts(fields, engine, _LONGEST)

    def render(self, names: Mapping[str, object]) -> Countdown | None:
        """Render the countdown; return None when the facts leave its instant empty.

        Raises:
            TemplateError: the rendered instant is none, or has no offset.
        """
        texts = self._texts.render(names)
        if self._for_ms:
            return Countdown(for_ms=self._for_ms, label=texts["label"])
        return Countdown(until=self._instant(texts["until"]), label=texts["label"]) if texts["until"] else None

    def _instant(self, text: str) -> str:
        expected = f'{self._place}: until: expected an instant such as 2026-12-01T00:00:00+01:00, found "{text}"'
        found = read_time(text)
        if isinstance(found, TimeTrouble):
            raise TemplateError(expected, "write date, time and offset")
        if found.kind != "instant":
            raise TemplateError(expected, "add an offset such as +01:00, or Z")
        if not EARLIEST_MS <= found.ms < LATEST_MS:
            raise TemplateError(expected, "write a year of this century")
        return format_instant(found.ms)[:19] + "Z"


def read_display(banner: Fields) -> Display | None:
    """Read the display conditions of a banner; return None when it has none.

    Values that do not fit are reported as problems of the file.
    """
    if not any(key in banner for key in DISPLAY_KEYS):
        return None
    scope = banner.choice("once", _SCOPES)
    trigger, scroll_pct = banner.parsed("on", _trigger) or ("load", 0)
    return Display(
        pages=_paths(banner, "pages"),
        not_pages=_paths(banner, "not_pages"),
        once=next((known for known in _SCOPES if known == scope), None),
        delay_ms=banner.duration_ms("delay") or 0,
        on=trigger,
        scroll_pct=scroll_pct,
        stay_ms=banner.duration_ms("stay") or 0,
    )


def read_theme(banner: Fields) -> Theme | None:
    """Read the theme of a banner; return None when it has none.

    Values that do not fit are reported as problems of the file.
    """
    fields = banner.mapping("theme", _THEME_KEYS, "a theme")
    if fields is None:
        return None
    colours = {key: fields.parsed(key, _colour) or "" for key in _COLOURS}
    font = fields.choice("font", ("inherit",))
    return Theme(**colours, radius=fields.parsed("radius", _radius), font="inherit" if font else "")


def read_countdown(banner: Fields, engine: TextEngine) -> CountdownTemplate | None:
    """Read the countdown of a banner; return None when it has none.

    Values that do not fit are reported as problems of the file.

    Raises:
        TemplateError: a text is no template.
    """
    fields = banner.mapping("countdown", ("until", "for", "label"), "a countdown")
    if fields is None:
        return None
    if ("until" in fields) == ("for" in fields):
        fields.source.report(fields.node, "a countdown needs either until or for", "keep one of them")
    return CountdownTemplate(fields, engine)


def _paths(fields: Fields, key: str) -> tuple[str, ...]:
    nodes = fields.items(key)
    if len(nodes) > _MOST_PAGES:
        fields.source.report(nodes[_MOST_PAGES], f"expected at most {_MOST_PAGES} paths", "join some with *")
    paths = [parsed_scalar(fields.source, node, _path) for node in nodes]
    return tuple(path for path in paths if path is not None)


def _path(text: str) -> str:
    if not text.startswith(("/", "*")) or len(text) > _LONGEST_PATH:
        raise RuleError(f'expected a path such as "/p/*", found "{text}"', "leave out the site's address")
    return text


def _trigger(text: str) -> tuple[BannerTrigger, int]:
    if text in _WITHOUT_DEPTH:
        return _WITHOUT_DEPTH[text], 0
    scroll = _SCROLL.fullmatch(text)
    if scroll is None or not 1 <= int(scroll[1]) <= _LARGEST_PCT:
        raise RuleError(f'expected load or exit_intent or scroll 50%, found "{text}"')
    return "scroll", int(scroll[1])


def _colour(text: str) -> str:
    if not _COLOUR.fullmatch(text):
        raise RuleError(f'expected a colour such as "#1f6feb", found "{text}"', "in quotes, since # begins a comment")
    return text


def _radius(text: str) -> int:
    if not text.isdecimal() or int(text) > _LARGEST_RADIUS:
        raise RuleError(f'expected a whole number of pixels from 0 to {_LARGEST_RADIUS}, found "{text}"')
    return int(text)
