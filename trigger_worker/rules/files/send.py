"""The `send` of a rule file."""

from __future__ import annotations

from typing import Final

import yaml

from trigger_worker.rules.files.expressions import read_condition
from trigger_worker.rules.files.fields import Fields, found_in, parsed_scalar
from trigger_worker.rules.files.scalars import parse_clock, parse_id
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.rules.language.names import CHANNELS
from trigger_worker.rules.model import SendEntry

_OPTIONS: Final = ("after", "at", "if", "unless", "tags")


def read_send(fields: Fields, audiences: AudienceNames) -> tuple[SendEntry, ...]:
    """Returns the messages of a rule; those with problems are left out."""
    messages = [_message(fields, node, audiences) for node in fields.items("send")]
    return tuple(message for message in messages if message is not None)


def _message(parent: Fields, node: yaml.Node, audiences: AudienceNames) -> SendEntry | None:
    if not isinstance(node, yaml.MappingNode):
        parent.source.report(node, f"expected a message such as banner: TEMPLATE, found {found_in(node)}")
        return None
    fields = Fields(parent.source, node, (*CHANNELS, *_OPTIONS), "a message")
    channels = [channel for channel in CHANNELS if channel in fields]
    if not channels and fields.has_unknown:
        return None
    if len(channels) != 1:
        message = f"expected one channel per message, found {' and '.join(channels) or 'none'}"
        parent.source.report(node, message, f"channels are {', '.join(CHANNELS)}")
        return None
    template = fields.parsed(channels[0], parse_id)
    return SendEntry(
        channel=channels[0],
        template=template or "",
        after_ms=fields.duration_ms("after", zero_allowed=True) or 0,
        at_minute=fields.parsed("at", parse_clock),
        condition=read_condition(fields, "if", audiences, is_sending=True),
        unless=read_condition(fields, "unless", audiences, is_sending=True),
        tags=tuple(_tags(fields)),
    )


def _tags(fields: Fields) -> list[str]:
    tags = [parsed_scalar(fields.source, node, parse_id) for node in fields.items("tags")]
    return [tag for tag in tags if tag is not None]
