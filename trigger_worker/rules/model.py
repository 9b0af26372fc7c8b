"""Define a rule as the rest of the worker sees it: read, checked and with every default filled in; and its version."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2s
from typing import Final, Literal

import msgspec

from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.rules.language.render import render, render_pattern, render_step
from trigger_worker.rules.language.syntax import Expression, Pattern, Step

Allocation = Literal["weights", "thompson"]
#: The name of the held-out visitors in results; no arm has this name.
HOLDOUT_ARM: Final = "holdout"

MessageClass = Literal["marketing", "transactional"]

DEFAULT_EVERY_MS: Final = DAY_MS
DEFAULT_TTL_MS: Final = DAY_MS
DEFAULT_PRIORITY: Final = 50
HIGHEST_PRIORITY: Final = 1_000


class QuietHours(msgspec.Struct, frozen=True):
    """A span of the visitor's local day; it crosses midnight when it ends before it starts.

    Args:
        start_minute: minutes after midnight at which quiet begins.
        end_minute: minutes after midnight at which quiet ends.
        then: `defer` lets a message of that time wait for the end, `drop` drops it.
    """

    start_minute: int
    end_minute: int
    then: Literal["defer", "drop"] = "defer"


#: Quiet hours by channel, None for a channel that is never quiet; an absent channel goes by the policy.
Quiet = Mapping[str, QuietHours | None]


class SendEntry(msgspec.Struct, frozen=True):
    """One entry of `send`: a message that each firing asks for.

    Args:
        channel: one of CHANNELS.
        template: the template's name without its endings.
        after_ms: the time from the firing until the message is due, in ms.
        at_minute: the time of day at which it is due, in minutes after local midnight; the next one after `after_ms`.
        condition: `if`, asked again at the moment of sending.
        unless: the opposite of `if`, asked at the same moment.
        tags: the tags by which caps of the policy may count it.
    """

    channel: str
    template: str
    after_ms: int = 0
    at_minute: int | None = None
    condition: Expression | None = None
    unless: Expression | None = None
    tags: tuple[str, ...] = ()


class Experiment(msgspec.Struct, frozen=True):
    """The division of a rule's visitors into a holdout and arms.

    Args:
        holdout: the share of visitors that gets no message, 0 to 1.
        arms: relative weights by the arm's name.
        allocation: `weights` gives new visitors the arms by their weights, `thompson` the better arms more often.
    """

    holdout: float = 0.0
    arms: tuple[tuple[str, float], ...] = ()
    allocation: Allocation = "weights"

    @property
    def is_adaptive(self) -> bool:
        """Tell whether success changes how often an arm is given."""
        return self.allocation == "thompson"


class Rule(msgspec.Struct, frozen=True):
    """A pattern of events that makes a micro-moment, and the messages to send about it.

    Args:
        version: a short hash of every part that changes what the rule does.
        path: the file of the rule, as problems name it.
        line: the line of its id in the file, from 1.
        condition: `if`, asked at the instant of the match.
        every_ms: the least time between two firings for one visitor and key, in ms; 0 for no limit.
        goal: the event that is success; its window counts from the firing.
        key: the path of the field that splits a visitor's events; None for no split.
        quiet: the rule's own quiet hours, which win over those of the policy.
        paused: whether it does not fire for now; messages of earlier firings are still sent.
        restart: whether a newer firing ends the unsent messages of an older one.
        ttl_ms: the time after the match within which a message must be delivered, in ms.
        source: the text of its file.
    """

    id: str
    version: str
    path: str
    when: Pattern
    line: int = 1
    describe: str = ""
    condition: Expression | None = None
    every_ms: int = DEFAULT_EVERY_MS
    goal: Step | None = None
    send: tuple[SendEntry, ...] = ()
    message_class: MessageClass = "marketing"
    priority: int = DEFAULT_PRIORITY
    quiet: Quiet = {}
    ttl_ms: int = DEFAULT_TTL_MS
    experiment: Experiment | None = None
    key: tuple[str, ...] | None = None
    restart: bool = False
    paused: bool = False
    source: str = ""


class Audiences(msgspec.Struct, frozen=True):
    """The named expressions of audiences.yaml, in the order of the file."""

    segments: dict[str, Expression] = {}
    stages: dict[str, Expression] = {}
    scores: dict[str, Expression] = {}


NO_AUDIENCES: Final = Audiences()


def with_version(rule: Rule) -> Rule:
    """Return a rule with its version filled in.

    Spacing, comments, order of keys and the description do not change the version; nor does a pause, which ends.
    """
    meaning = msgspec.json.encode(_meaning(rule), order="deterministic")
    return msgspec.structs.replace(rule, version=blake2s(meaning, digest_size=6).hexdigest())


def _meaning(rule: Rule) -> dict[str, object]:
    return {
        "when": render_pattern(rule.when),
        "if": _text_of(rule.condition),
        "every_ms": rule.every_ms,
        "goal": None if rule.goal is None else render_step(rule.goal),
        "send": [_entry_meaning(message) for message in rule.send],
        "class": rule.message_class,
        "priority": rule.priority,
        "quiet": rule.quiet or None,
        "ttl_ms": rule.ttl_ms,
        "experiment": rule.experiment,
        "key": rule.key,
        "restart": rule.restart,
    }


def _entry_meaning(message: SendEntry) -> dict[str, object]:
    return {
        "channel": message.channel,
        "template": message.template,
        "after_ms": message.after_ms,
        "at_minute": message.at_minute,
        "if": _text_of(message.condition),
        "unless": _text_of(message.unless),
        "tags": message.tags,
    }


def _text_of(expression: Expression | None) -> str | None:
    return None if expression is None else render(expression)
