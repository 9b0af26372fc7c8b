"""A rule as the rest of the worker sees it: read, checked and with every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.rules.language.syntax import Expression, Pattern, Step

Allocation = Literal["weights", "thompson"]
#: What results call those whom a rule holds out; no arm has this name.
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
        then: what becomes of a message that comes within it: it waits for the end, or is dropped.
    """

    start_minute: int
    end_minute: int
    then: Literal["defer", "drop"] = "defer"


#: By channel its quiet hours, or None where it never is quiet; of an absent channel nothing is said.
Quiet = Mapping[str, QuietHours | None]


class SendEntry(msgspec.Struct, frozen=True):
    """One entry of `send`.

    Args:
        channel: one of CHANNELS.
        template: the template's name without its endings.
        after_ms: milliseconds from the firing.
        at_minute: minutes after local midnight; the next such time once `after_ms` has passed.
        condition: `if`, asked again at the moment of sending.
        unless: the opposite of `if`.
        tags: what caps of the policy may count it by.
    """

    channel: str
    template: str
    after_ms: int = 0
    at_minute: int | None = None
    condition: Expression | None = None
    unless: Expression | None = None
    tags: tuple[str, ...] = ()


class Experiment(msgspec.Struct, frozen=True):
    """How a rule's visitors are divided.

    Args:
        holdout: the share that gets nothing, 0 to 1.
        arms: relative weights by the arm's name.
        allocation: whether new visitors meet the arms by these weights, or the more often the better they do.
    """

    holdout: float = 0.0
    arms: tuple[tuple[str, float], ...] = ()
    allocation: Allocation = "weights"

    @property
    def is_adaptive(self) -> bool:
        """Whether success changes how often an arm is met."""
        return self.allocation == "thompson"


class Rule(msgspec.Struct, frozen=True):
    """When a visitor is in a micro-moment, and what to do about it.

    Args:
        version: a short hash of everything that changes what the rule does.
        path: the file it was read from, as problems name it.
        line: where in the file its id stands, from 1.
        condition: `if`, asked at the instant of the match.
        every_ms: at most one firing per visitor and key in this many milliseconds; 0 for no limit.
        goal: what success is; its window counts from the firing.
        key: the field that splits a visitor's events, as a path; None for no split.
        quiet: what the rule itself says of quiet hours, which wins over the policy.
        paused: whether it fires for nobody just now; messages of earlier firings go on.
        restart: whether a newer firing ends what an older one has still to send.
        ttl_ms: milliseconds after the match within which a message must be delivered.
        source: the text that it was read from.
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
