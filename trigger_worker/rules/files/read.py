"""Read a rule file into a checked rule, or into problems with line and column."""

from __future__ import annotations

from typing import Final, cast, get_args

import msgspec
import yaml

from trigger_worker.rules.files.expressions import read_condition, read_goal, read_key, read_pattern
from trigger_worker.rules.files.fields import Fields, found_in, parsed_scalar
from trigger_worker.rules.files.quiet import read_quiet
from trigger_worker.rules.files.scalars import parse_clock, parse_id, parse_priority, parse_share, parse_weight
from trigger_worker.rules.files.source import Problem, Source, has_errors
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.rules.language.names import CHANNELS
from trigger_worker.rules.language.syntax import Pattern
from trigger_worker.rules.model import (
    DEFAULT_EVERY_MS,
    DEFAULT_PRIORITY,
    DEFAULT_TTL_MS,
    HOLDOUT_ARM,
    Allocation,
    Experiment,
    MessageClass,
    Rule,
    SendEntry,
    with_version,
)

#: The keys of a rule file.
KEYS: Final = (
    "id",
    "describe",
    "when",
    "if",
    "every",
    "goal",
    "send",
    "class",
    "priority",
    "quiet",
    "ttl",
    "experiment",
    "key",
    "restart",
    "paused",
)

#: The keys of an entry of `send` beside its channel.
_OPTIONS: Final = ("after", "at", "if", "unless", "tags")

#: The fewest arms for which adaptive allocation has a choice.
MIN_ADAPTIVE_ARMS: Final = 2

#: Replaces a pattern with problems while the rest of its rule is checked; such a rule is not returned.
_UNREADABLE: Final = Pattern(0, ())


class RuleReading(msgspec.Struct, frozen=True):
    """The result of reading a rule file.

    Args:
        rule: the rule, or None when the problems refuse it.
        problems: errors and warnings in the order of the file.
    """

    rule: Rule | None
    problems: list[Problem]


def read_rule(text: str, path: str, audiences: AudienceNames) -> RuleReading:
    """Read and check one rule file; mistakes of the author become problems, never exceptions.

    Args:
        text: the file's contents.
        path: the file, as problems name it.
        audiences: the names of audiences that the rule may refer to.
    """
    source = Source(path, text)
    rule = _read(source, audiences)
    problems = sorted(source.problems, key=lambda problem: (problem.line, problem.column))
    return RuleReading(None if has_errors(problems) else rule, problems)


def _read(source: Source, audiences: AudienceNames) -> Rule | None:
    node = source.compose()
    if node is None:
        if not source.problems:
            source.report_file("expected a rule, found an empty file", "a rule needs at least id and when")
        return None
    if not isinstance(node, yaml.MappingNode):
        source.report(node, f"expected a rule, found {found_in(node)}", "write keys such as id: and when:")
        return None
    fields = Fields(source, node, KEYS, "a rule")
    for name in ("id", "when"):
        if name not in fields:
            source.report(node, f'a rule needs the key "{name}"')
    return _rule(fields, audiences)


def _rule(fields: Fields, audiences: AudienceNames) -> Rule | None:
    rule_id, when = fields.parsed("id", parse_id), read_pattern(fields, "when")
    every_ms = fields.duration_ms("every", zero_allowed=True)
    priority = fields.parsed("priority", parse_priority)
    message_class = fields.choice("class", ("marketing", "transactional"))
    rule = Rule(
        id=rule_id or "",
        version="",
        path=fields.source.path,
        line=fields.line_of("id"),
        when=when or _UNREADABLE,
        describe=fields.text("describe") or "",
        condition=read_condition(fields, "if", audiences),
        every_ms=DEFAULT_EVERY_MS if every_ms is None else every_ms,
        goal=read_goal(fields, "goal"),
        send=_send(fields, audiences),
        message_class=cast(MessageClass, message_class or "marketing"),
        priority=DEFAULT_PRIORITY if priority is None else priority,
        quiet=read_quiet(fields, "quiet"),
        ttl_ms=fields.duration_ms("ttl") or DEFAULT_TTL_MS,
        experiment=_experiment(fields),
        key=read_key(fields, "key"),
        restart=fields.boolean("restart") or False,
        paused=fields.boolean("paused") or False,
        source=fields.source.text,
    )
    return None if has_errors(fields.source.problems) else with_version(rule)


def _experiment(fields: Fields) -> Experiment | None:
    experiment = fields.mapping("experiment", ("holdout", "arms", "allocation"), "an experiment")
    if experiment is None:
        return None
    arms = tuple(_arms(experiment))
    allocation = cast(Allocation, experiment.choice("allocation", get_args(Allocation)) or "weights")
    node = experiment.node_of("allocation")
    if node is not None and allocation == "thompson" and (len(arms) < MIN_ADAPTIVE_ARMS or "goal" not in fields):
        hint = "it learns from a goal which of several arms does best"
        fields.source.report(node, "allocation: thompson needs arms, two at least, and a goal", hint)
    return Experiment(experiment.parsed("holdout", parse_share) or 0.0, arms, allocation)


def _arms(experiment: Fields) -> list[tuple[str, float]]:
    node = experiment.node_of("arms")
    if node is None:
        return []
    source = experiment.source
    if not isinstance(node, yaml.MappingNode) or not node.value:
        source.report(node, f"expected arms such as {{plain: 50, coupon: 50}}, found {found_in(node)}")
        return []
    arms: dict[str, float] = {}
    for name_node, weight_node in node.value:
        name = parsed_scalar(source, name_node, parse_id)
        weight = parsed_scalar(source, weight_node, parse_weight)
        if name in arms:
            source.report(name_node, f'the arm "{name}" stands here twice', "keep one of them")
        elif name == HOLDOUT_ARM:
            source.report(name_node, f'the arm "{name}" would be taken for those held out', "give it another name")
        elif name is not None and weight is not None:
            arms[name] = weight
    return list(arms.items())


def _send(fields: Fields, audiences: AudienceNames) -> tuple[SendEntry, ...]:
    """Return the entries of `send`; entries with problems are left out."""
    messages = [_send_entry(fields, node, audiences) for node in fields.items("send")]
    return tuple(message for message in messages if message is not None)


def _send_entry(parent: Fields, node: yaml.Node, audiences: AudienceNames) -> SendEntry | None:
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
