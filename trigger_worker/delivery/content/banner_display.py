"""When and where a page shows a banner: `pages`, `not_pages`, `once`, `delay`, `on` and `stay` of its template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, get_args

from trigger_worker.delivery.content.model import BannerTrigger, Display, OnceScope
from trigger_worker.rules.files.fields import Fields, parsed_scalar
from warehouse.errors import RuleError

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
