"""The version of a rule: a short hash of all that it does, and of nothing else."""

from __future__ import annotations

from hashlib import blake2s

import msgspec

from trigger_worker.rules.language.render import render, render_pattern, render_step
from trigger_worker.rules.language.syntax import Expression
from trigger_worker.rules.model import Rule, SendEntry


def with_version(rule: Rule) -> Rule:
    """Returns the rule with its version filled in.

    Spacing, comments, order of keys and the description change no version; nor does a pause, which ends.
    """
    meaning = msgspec.json.encode(_meaning(rule), order="deterministic")
    return msgspec.structs.replace(rule, version=blake2s(meaning, digest_size=6).hexdigest())


def _meaning(rule: Rule) -> dict[str, object]:
    return {
        "when": render_pattern(rule.when),
        "if": _text(rule.condition),
        "every_ms": rule.every_ms,
        "goal": None if rule.goal is None else render_step(rule.goal),
        "send": [_message(message) for message in rule.send],
        "class": rule.message_class,
        "priority": rule.priority,
        "quiet": rule.quiet or None,
        "ttl_ms": rule.ttl_ms,
        "experiment": rule.experiment,
        "key": rule.key,
        "restart": rule.restart,
    }


def _message(message: SendEntry) -> dict[str, object]:
    return {
        "channel": message.channel,
        "template": message.template,
        "after_ms": message.after_ms,
        "at_minute": message.at_minute,
        "if": _text(message.condition),
        "unless": _text(message.unless),
        "tags": message.tags,
    }


def _text(expression: Expression | None) -> str | None:
    return None if expression is None else render(expression)
