"""Read the quiet hours of rules and policies: one span for all outreach, or one for each channel."""

from __future__ import annotations

from typing import Final, Literal, cast

import msgspec
import yaml

from trigger_worker.rules.files.fields import Fields
from trigger_worker.rules.files.scalars import parse_clock
from trigger_worker.rules.language.names import CHANNELS
from trigger_worker.rules.model import QuietHours
from warehouse.channel_traits import CHANNEL_TRAITS
from warehouse.errors import RuleError

#: The channels of hours that name no channel. A banner disturbs nobody: it shows only while a person is on the site.
OUTREACH: Final = tuple(name for name, traits in CHANNEL_TRAITS.items() if not traits.shows_on_page)
_NEVER: Final = "none"
_SPAN_KEYS: Final = ("hours", "then")


def read_quiet(parent: Fields, name: str) -> dict[str, QuietHours | None]:
    """Return the quiet hours of each channel that the value of a key names; empty without the key.

    Args:
        parent: the rule or the policy; takes the problems.
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


def parse_quiet(text: str) -> QuietHours:
    """Return a span of the day such as `21:00-09:00`.

    Raises:
        RuleError: the text is no span, or one without length.
    """
    start, dash, end = text.partition("-")
    if not dash:
        raise RuleError(f'expected quiet hours such as 21:00-09:00, found "{text}"')
    hours = QuietHours(parse_clock(start), parse_clock(end))
    if hours.start_minute == hours.end_minute:
        raise RuleError(f'expected quiet hours that end at another time than they start, found "{text}"')
    return hours


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
