"""The small values of a rule file: clock times, shares, names, numbers."""

from __future__ import annotations

import re
from typing import Final, Literal, cast

import msgspec
import yaml

from trigger_worker.rules.files.fields import Fields
from trigger_worker.rules.language.errors import Finding, RuleSyntaxError
from trigger_worker.rules.language.names import CHANNELS, field_path
from trigger_worker.rules.language.parse import parse_expression
from trigger_worker.rules.language.syntax import Name
from trigger_worker.rules.model import HIGHEST_PRIORITY, QuietHours
from warehouse.errors import RuleError

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_SHARE: Final = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s*%", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)
_COUNT: Final = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_PRIORITY: Final = re.compile(r"\d{1,4}", re.ASCII)


def parse_id(text: str) -> str:
    """Reads the name of a rule, a template, an arm, a tag or an audience.

    Raises:
        RuleError: when it is anything but letters, digits, `_` and `-`.
    """
    if not _ID.fullmatch(text):
        raise RuleError(f'expected a name of letters, digits, _ and -, at most 64 long, found "{text[:80]}"')
    return text


def parse_clock(text: str) -> int:
    """Reads a time of day such as `10:00` into minutes after midnight.

    Raises:
        RuleError: when it is anything else.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise RuleError(f'expected a time of day such as 10:00, found "{text}"')
    return int(match[1]) * 60 + int(match[2])


def parse_quiet(text: str) -> QuietHours:
    """Reads a span of the day such as `21:00-09:00`.

    Raises:
        RuleError: when it is anything else, or has no length.
    """
    start, dash, end = text.partition("-")
    if not dash:
        raise RuleError(f'expected quiet hours such as 21:00-09:00, found "{text}"')
    hours = QuietHours(parse_clock(start), parse_clock(end))
    if hours.start_minute == hours.end_minute:
        raise RuleError(f'expected quiet hours that end at another time than they start, found "{text}"')
    return hours


def parse_share(text: str) -> float:
    """Reads a share such as `10%` into a number from 0 to 1.

    Raises:
        RuleError: when it is anything else.
    """
    match = _SHARE.fullmatch(text.strip())
    if match is None or float(match[1]) > 100:
        raise RuleError(f'expected a share from 0% to 100%, found "{text}"')
    return float(match[1]) / 100


def parse_weight(text: str) -> float:
    """Reads a positive number.

    Raises:
        RuleError: when it is anything else.
    """
    if not _NUMBER.fullmatch(text.strip()) or float(text) == 0:
        raise RuleError(f'expected a number greater than 0, found "{text}"')
    return float(text)


def parse_count(text: str) -> int:
    """Reads a whole number of at least 1.

    Raises:
        RuleError: when it is anything else.
    """
    if not _COUNT.fullmatch(text.strip()):
        raise RuleError(f'expected a whole number of at least 1, found "{text}"')
    return int(text)


def parse_priority(text: str) -> int:
    """Reads a whole number from 0 to the highest priority.

    Raises:
        RuleError: when it is anything else.
    """
    if not _PRIORITY.fullmatch(text.strip()) or int(text) > HIGHEST_PRIORITY:
        raise RuleError(f'expected a whole number from 0 to {HIGHEST_PRIORITY}, found "{text}"')
    return int(text)


def parse_key(text: str) -> Name:
    """Reads the name of a field.

    Raises:
        RuleError: when it is anything else.
    """
    node = parse_expression(text)
    if not isinstance(node, Name):
        raise RuleSyntaxError(text, Finding(f'expected a field such as product_id, found "{text}"', 0))
    return node


def key_path(name: Name | None) -> tuple[str, ...] | None:
    """Returns where a key is found in an event's fields."""
    return None if name is None else field_path(name)


#: Hours that name no channel are for these. A banner disturbs nobody: it shows only while a person is on the site.
OUTREACH: Final = tuple(channel for channel in CHANNELS if channel != "banner")
_NEVER: Final = "none"
_SPAN_KEYS: Final = ("hours", "then")


def read_quiet(parent: Fields, name: str) -> dict[str, QuietHours | None]:
    """Returns what is said of each channel: nothing of most when the key is absent or has problems.

    Args:
        parent: the rule or the policy.
        name: the key, whose value is a span, `none`, or a mapping of `hours`, `then` and channels.
    """
    if not isinstance(parent.node_of(name), yaml.MappingNode):
        return parent.parsed(name, _for_every_channel) or {}
    fields = parent.mapping(name, (*_SPAN_KEYS, *CHANNELS), "quiet time")
    if fields is None:
        return {}
    quiet: dict[str, QuietHours | None] = {}
    if any(key in fields for key in _SPAN_KEYS):
        quiet |= dict.fromkeys(OUTREACH, _span(fields))
    for channel in CHANNELS:
        quiet |= _for_one_channel(fields, channel)
    return quiet


def _for_every_channel(text: str) -> dict[str, QuietHours | None]:
    if text.strip() == _NEVER:
        return dict.fromkeys(CHANNELS)
    return dict.fromkeys(OUTREACH, parse_quiet(text))


def _for_one_channel(fields: Fields, channel: str) -> dict[str, QuietHours | None]:
    if not isinstance(fields.node_of(channel), yaml.MappingNode):
        return fields.parsed(channel, lambda text: {channel: _hours_or_none(text)}) or {}
    own = fields.mapping(channel, _SPAN_KEYS, "quiet time")
    return {} if own is None else {channel: _span(own)}


def _hours_or_none(text: str) -> QuietHours | None:
    return None if text.strip() == _NEVER else parse_quiet(text)


def _span(fields: Fields) -> QuietHours | None:
    fields.require(("hours",), "quiet time")
    hours = fields.parsed("hours", parse_quiet)
    then = cast(Literal["defer", "drop"] | None, fields.choice("then", ("defer", "drop")))
    return None if hours is None else msgspec.structs.replace(hours, then=then or "defer")
