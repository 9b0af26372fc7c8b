"""Reads `policy.yaml`; every mistake is named with its file, line and column."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, get_args

import yaml

from trigger_worker.gate.policy import Cap, Fatigue, Policy
from trigger_worker.language.names import CHANNELS
from trigger_worker.rules.fields import Fields, found_in
from trigger_worker.rules.model import MessageClass
from trigger_worker.rules.problem import Problem
from trigger_worker.rules.scalars import parse_id, parse_quiet, parse_share
from trigger_worker.rules.source import Source
from warehouse.errors import RuleError

_KEYS: Final = ("quiet", "caps", "gap", "fatigue", "holdout")
_CAP_KEYS: Final = ("channel", "tag", "class", "max", "per")
_FATIGUE_KEYS: Final = ("ignored", "rest")
_CLASSES: Final[tuple[MessageClass, ...]] = get_args(MessageClass)
_COUNT: Final = re.compile(r"[1-9]\d{0,8}", re.ASCII)


class PolicyError(RuleError):
    """A policy that cannot be followed.

    Args:
        problems: everything that is wrong with it, in the order of the file.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load_policy(path: Path) -> Policy:
    """Reads a policy from a file; where there is no such file, nothing is restrained.

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
    """Reads a policy from YAML.

    Args:
        text: the content of the file.
        path: the file, as problems name it.

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
    caps = (_cap(source, node) for node in fields.items("caps"))
    return Policy(
        quiet=fields.parsed("quiet", parse_quiet),
        caps=tuple(cap for cap in caps if cap is not None),
        gap_ms=_gap_ms(fields),
        fatigue=_fatigue(fields),
        holdout=fields.parsed("holdout", parse_share) or 0.0,
    )


def _cap(source: Source, node: yaml.Node) -> Cap | None:
    if not isinstance(node, yaml.MappingNode):
        source.report(node, f"expected a cap, found {found_in(node)}", "write {channel: email, max: 1, per: 24h}")
        return None
    fields = Fields(source, node, _CAP_KEYS, "a cap")
    _require(fields, ("max", "per"), "a cap")
    limit, per_ms = fields.parsed("max", _count), fields.duration_ms("per")
    channel, message_class = fields.choice("channel", CHANNELS), fields.choice("class", _CLASSES)
    tag = fields.parsed("tag", parse_id)
    if limit is None or per_ms is None:
        return None
    return Cap(
        max=limit,
        per_ms=per_ms,
        channel=channel or "",
        tag=tag or "",
        message_class=next((known for known in _CLASSES if known == message_class), None),
    )


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
    _require(fields, _FATIGUE_KEYS, "fatigue")
    ignored, rest_ms = fields.parsed("ignored", _count), fields.duration_ms("rest")
    return None if ignored is None or rest_ms is None else Fatigue(ignored=ignored, rest_ms=rest_ms)


def _require(fields: Fields, names: tuple[str, ...], what: str) -> None:
    for name in names:
        if name not in fields:
            fields.source.report(fields.node, f"{what} needs {name}", f"add {name}: and its value")


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text.strip()):
        raise RuleError(f'expected a whole number of at least 1, found "{text}"')
    return int(text)
