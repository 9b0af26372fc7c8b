"""A rule as the rest of the worker sees it: read, checked and with every default filled in."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from trigger_worker.language.duration import DAY_MS
from trigger_worker.language.syntax import Expression, Pattern, Step

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
    """

    start_minute: int
    end_minute: int


class Message(msgspec.Struct, frozen=True):
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
    """

    holdout: float = 0.0
    arms: tuple[tuple[str, float], ...] = ()


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
        restart: whether a newer firing ends what an older one has still to send.
        ttl_ms: milliseconds after the match within which a message must be delivered.
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
    send: tuple[Message, ...] = ()
    message_class: MessageClass = "marketing"
    priority: int = DEFAULT_PRIORITY
    quiet: QuietHours | None = None
    ttl_ms: int = DEFAULT_TTL_MS
    experiment: Experiment | None = None
    key: tuple[str, ...] | None = None
    restart: bool = False


class Audiences(msgspec.Struct, frozen=True):
    """The named expressions of audiences.yaml, in the order of the file."""

    segments: dict[str, Expression] = {}
    stages: dict[str, Expression] = {}
    scores: dict[str, Expression] = {}


NO_AUDIENCES: Final = Audiences()
