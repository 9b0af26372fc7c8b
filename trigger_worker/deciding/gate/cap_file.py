"""The `caps` of a policy file."""

from __future__ import annotations

from typing import Final, get_args

import yaml

from trigger_worker.deciding.gate.cap import Cap, MessageKind
from trigger_worker.rules.files.fields import Fields, found_in
from trigger_worker.rules.files.scalars import parse_count, parse_id
from trigger_worker.rules.language.names import CHANNELS
from trigger_worker.rules.model import MessageClass

_CLASSES: Final[tuple[MessageClass, ...]] = get_args(MessageClass)
_KIND_KEYS: Final = ("channel", "tag", "without", "class")
_CAP_KEYS: Final = (*_KIND_KEYS, "obeys", "counts", "max", "per")


def read_caps(policy: Fields) -> tuple[Cap, ...]:
    """Returns the caps of a policy; those with problems are left out."""
    caps = (_cap(policy, node) for node in policy.items("caps"))
    return tuple(cap for cap in caps if cap is not None)


def _cap(policy: Fields, node: yaml.Node) -> Cap | None:
    source = policy.source
    if not isinstance(node, yaml.MappingNode):
        source.report(node, f"expected a cap, found {found_in(node)}", "write {channel: email, max: 1, per: 24h}")
        return None
    fields = Fields(source, node, _CAP_KEYS, "a cap")
    fields.require(("max", "per"), "a cap")
    limit, per_ms = fields.parsed("max", parse_count), fields.duration_ms("per")
    both = _kind(fields)
    obeys, counts = _kind_of(fields, "obeys", both), _kind_of(fields, "counts", both)
    if obeys.message_class == "transactional":
        source.report(node, "no transactional message obeys a cap", "write counts: {class: transactional}")
    if limit is None or per_ms is None:
        return None
    return Cap(max=limit, per_ms=per_ms, obeys=obeys, counts=counts)


def _kind_of(cap: Fields, name: str, both: MessageKind) -> MessageKind:
    fields = cap.mapping(name, _KIND_KEYS, "a kind of message such as {channel: email}")
    return both if fields is None else _kind(fields)


def _kind(fields: Fields) -> MessageKind:
    message_class = fields.choice("class", _CLASSES)
    return MessageKind(
        channel=fields.choice("channel", CHANNELS) or "",
        tag=fields.parsed("tag", parse_id) or "",
        without=fields.parsed("without", parse_id) or "",
        message_class=next((known for known in _CLASSES if known == message_class), None),
    )
