"""When and where a page shows a banner: `pages`, `not_pages`, `once`, `delay`, `on` and `stay` of its template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, get_args

from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.fields import Texts
from trigger_worker.delivery.content.model import BannerTrigger, Countdown, Display, OnceScope, Theme
from trigger_worker.rules.files.fields import Fields, parsed_scalar
from warehouse.errors import RuleError, TemplateError

DISPLAY_KEYS: Final = ("pages", "not_pages", "once", "delay", "on", "stay")

_SCOPES: Final[tuple[OnceScope, ...]] = get_args(OnceScope)
_MOST_PAGES: Final = 20
_LONGEST_PATH: Final = 200
_SCROLL: Final = re.compile(r"scroll\s+(\d{1,3})\s*%", re.ASCII)
_LARGEST_PCT: Final = 100
_WITHOUT_DEPTH: Final[Mapping[str, BannerTrigger]] = {"load": "load", "exit_intent": "exit_intent"}


def read_display(fields: Fields) -> Display | None:
    """Reads the conditions; what does not fit becomes a problem of the file. None when there are none."""
    if not any(key in fields for key in DISPLAY_KEYS):
        return None
    scope = fields.choice("once", _SCOPES)
    trigger, scroll_pct = fields.parsed("on", _trigger) or ("load", 0)
    return Display(
        pages=_paths(fields, "pages"),
        not_pages=_paths(fields, "not_pages"),
        once=next((known for known in _SCOPES if known == scope), None),
        delay_ms=fields.duration_ms("delay") or 0,
        on=trigger,
        scroll_pct=scroll_pct,
        stay_ms=fields.duration_ms("stay") or 0,
    )


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


_COLOURS: Final = ("background", "color", "accent")
_KEYS: Final = (*_COLOURS, "radius", "font")
_COLOUR: Final = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_LARGEST_RADIUS: Final = 40


def read_theme(banner: Fields) -> Theme | None:
    """Reads the look; what does not fit becomes a problem of the file."""
    fields = banner.mapping("theme", _KEYS, "a theme")
    if fields is None:
        return None
    colours = {key: fields.parsed(key, _colour) or "" for key in _COLOURS}
    font = fields.choice("font", ("inherit",))
    return Theme(**colours, radius=fields.parsed("radius", _radius), font="inherit" if font else "")


def _colour(text: str) -> str:
    if not _COLOUR.fullmatch(text):
        raise RuleError(f'expected a colour such as "#1f6feb", found "{text}"', "in quotes, since # begins a comment")
    return text


def _radius(text: str) -> int:
    if not text.isdecimal() or int(text) > _LARGEST_RADIUS:
        raise RuleError(f'expected a whole number of pixels from 0 to {_LARGEST_RADIUS}, found "{text}"')
    return int(text)


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
