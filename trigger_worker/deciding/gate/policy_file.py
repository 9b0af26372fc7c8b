"""Read `policy.yaml`; every mistake is reported with its file, line and column."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

import yaml

from trigger_worker.deciding.gate.policy import Cap, Fatigue, MessageKind, Policy
from trigger_worker.rules.files.fields import Fields, choose, found_in, parsed_scalar
from trigger_worker.rules.files.quiet import read_quiet
from trigger_worker.rules.files.scalars import parse_count, parse_id, parse_share
from trigger_worker.rules.files.source import Problem, Source
from trigger_worker.rules.language.names import CHANNELS
from trigger_worker.rules.model import MessageClass
from warehouse.errors import RuleError

_KEYS: Final = ("consent_required", "quiet", "caps", "gap", "fatigue", "holdout")
_FATIGUE_KEYS: Final = ("ignored", "rest")
_CLASSES: Final[tuple[MessageClass, ...]] = get_args(MessageClass)
_KIND_KEYS: Final = ("channel", "tag", "without", "class")
_CAP_KEYS: Final = (*_KIND_KEYS, "obeys", "counts", "max", "per")


class PolicyError(RuleError):
    """The error of a policy file with mistakes.

    Args:
        problems: the mistakes, in the order of the file.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load_policy(path: Path) -> Policy:
    """Return the policy of a file; without such a file nothing is restrained.

    Raises:
        PolicyError: when the file cannot be read or says something impossible.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Policy()
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem(path.name, 1, 1, f"cannot be read: {error}", "make it a readable text file in UTF-8")
        raise PolicyError((problem,)) from error
    return read_policy(text, path.name)


def read_policy(text: str, path: str = "policy.yaml") -> Policy:
    """Return the policy of a YAML text.

    Args:
        text: the content of the file.
        path: the file, as mistakes name it.

    Raises:
        PolicyError: for example `policy.yaml:3:20: expected a duration such as 15m, found "soon"`.
    """
    source = Source(path, text)
    policy = _policy(source, source.compose())
    if source.problems:
        raise PolicyError(tuple(sorted(source.problems, key=lambda problem: (problem.line, problem.column))))
    return policy


def _policy(source: Source, root: yaml.Node | None) -> Policy:
    if root is None:
        return Policy()
    if not isinstance(root, yaml.MappingNode):
        source.report(root, f"expected a policy, found {found_in(root)}", "write keys such as caps:")
        return Policy()
    fields = Fields(source, root, _KEYS, "a policy")
    return Policy(
        consent_required=_consent_required(fields),
        quiet=read_quiet(fields, "quiet"),
        caps=read_caps(fields),
        gap_ms=_gap_ms(fields),
        fatigue=_fatigue(fields),
        holdout=fields.parsed("holdout", parse_share) or 0.0,
    )


def _consent_required(policy: Fields) -> frozenset[str]:
    nodes = policy.items("consent_required")
    channels = (parsed_scalar(policy.source, node, lambda text: choose(text, CHANNELS)) for node in nodes)
    return frozenset(channel for channel in channels if channel is not None)


def _gap_ms(policy: Fields) -> dict[str, int]:
    fields = policy.mapping("gap", CHANNELS, "gaps")
    if fields is None:
        return {}
    gaps = {channel: fields.duration_ms(channel) for channel in CHANNELS if channel in fields}
    return {channel: gap_ms for channel, gap_ms in gaps.items() if gap_ms is not None}


def _fatigue(policy: Fields) -> Fatigue | None:
    fields = policy.mapping("fatigue", _FATIGUE_KEYS, "fatigue")
    if fields is None:
        return None
    fields.require(_FATIGUE_KEYS, "fatigue")
    ignored, rest_ms = fields.parsed("ignored", parse_count), fields.duration_ms("rest")
    return None if ignored is None or rest_ms is None else Fatigue(ignored=ignored, rest_ms=rest_ms)


def read_caps(policy: Fields) -> tuple[Cap, ...]:
    """Return the caps of a policy; a cap with mistakes is left out."""
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
