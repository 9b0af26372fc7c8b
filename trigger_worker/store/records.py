"""What the worker stores: firings, decisions, and each state that a message reaches."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from trigger_worker.rules.model import Rule
from warehouse.event import EventRow, format_time, kept_days
from warehouse.queries import Inserts

MessageState = Literal["pending", "sent", "delivered", "shown", "opened", "clicked", "dismissed", "failed", "cancelled"]
_NAMESPACE: Final = uuid.UUID("6d6d6d73-6700-7000-8000-000000000000")


class Fire(msgspec.Struct, frozen=True):
    """A match that fired.

    Args:
        at: the instant of the match, epoch milliseconds.
        event: fields of the event that completed the pattern.
    """

    fire_id: str
    site: str
    rule: str
    version: str
    visitor_id: str
    key: str
    at: int
    event: dict[str, Any]


class QueuedMessage(msgspec.Struct, frozen=True):
    """A message that a firing asked for and that is not settled yet.

    Args:
        position: of its entry in the rule's `send`.
        due_at, expires_at, fired_at: epoch milliseconds.
        attempts: how often its channel was tried.
        event: fields of the event that completed the pattern.
        is_tried: whether an attempt has begun of which nobody knows yet what came.
        retries: how often a person asked for it again after it had failed.
        recorded_at: `at` of its latest row, epoch milliseconds; every later row is later, whatever clocks say.
    """

    message_id: str
    fire_id: str
    site: str
    rule: str
    version: str
    visitor_id: str
    channel: str
    template: str
    position: int
    tags: tuple[str, ...]
    message_class: Literal["marketing", "transactional"]
    priority: int
    fired_at: int
    due_at: int
    expires_at: int
    attempts: int
    event: dict[str, Any]
    is_tried: bool = False
    retries: int = 0
    recorded_at: int = 0

    def next_row_at(self, now_ms: int) -> int:
        """Return the `at` of its next row: now (epoch milliseconds), but after the rows before."""
        return max(now_ms, self.recorded_at + 1)


class MessageRecord(msgspec.Struct, frozen=True):
    """A state that a message reached at `at` (epoch milliseconds).

    Args:
        recipients: anonymous ids whose pages may show a banner.
        content: a banner's JSON.
        detail: attempts, errors, and what a restart must know.
    """

    message: QueuedMessage
    state: MessageState
    at: int
    recipients: tuple[str, ...] = ()
    content: str = ""
    detail: dict[str, Any] = {}


class DecisionRecord(msgspec.Struct, frozen=True):
    """What the gate said of a message at `decided_at` (epoch milliseconds)."""

    message: QueuedMessage
    verdict: Literal["send", "defer", "drop"]
    reason: str
    detail: dict[str, Any]
    decided_at: int
    arm: str = ""


def message_id(fire_id: str, position: int) -> str:
    """Return the id of a firing's message: the same whenever it is worked out."""
    return str(uuid.uuid5(_NAMESPACE, f"{fire_id}/{position}"))


class Records:
    """Writes what happened; the same rows written again, after a doubtful answer, are recognised by their content.

    Args:
        warehouse: where to.
        retention_days: by site, how long its events are kept; a year and some where it is not said.
    """

    def __init__(self, warehouse: Inserts, retention_days: Mapping[str, int] | None = None) -> None:
        self._warehouse = warehouse
        self._retention_days = retention_days or {}

    def store_fires(self, fires: Sequence[Fire], now_ms: int) -> None:
        """Store firings."""
        self._insert("fires", (_fire_row(fire, now_ms) for fire in fires))

    def store_decisions(self, decisions: Sequence[DecisionRecord]) -> None:
        """Store verdicts."""
        self._insert("decisions", map(_decision_row, decisions))

    def store_messages(self, records: Sequence[MessageRecord]) -> None:
        """Store states that messages reached."""
        self._insert("messages", map(_message_row, records))

    def store_events(self, rows: Sequence[EventRow]) -> None:
        """Store events of ours, to be kept as long as others of their site."""
        self._insert("events", map(self._kept, rows))

    def store_versions(self, rules: Sequence[Rule], now_ms: int) -> None:
        """Store the text of rules by version; the first time that a version is stored counts as when it was seen."""
        self._insert("rule_versions", (_version_row(rule, now_ms) for rule in rules))

    def store_cursor(self, worker: str, shard: int, read_to: int) -> None:
        """Store up to where (epoch milliseconds) the feed was read."""
        self._insert("worker_cursor", [{"worker": worker, "shard": shard, "read_to": format_time(read_to)}])

    def _kept(self, row: EventRow) -> EventRow:
        days = self._retention_days.get(row.site, row.retention_days)
        return msgspec.structs.replace(row, retention_days=kept_days(row.event, days))

    def _insert(self, table: str, rows: Iterable[object]) -> None:
        lines = b"\n".join(map(msgspec.json.encode, rows))
        if lines:
            self._warehouse.insert_lines(table, lines, hashlib.sha256(lines).hexdigest())


def _fire_row(fire: Fire, now_ms: int) -> dict[str, Any]:
    return {
        "fire_id": fire.fire_id,
        "site": fire.site,
        "rule": fire.rule,
        "version": fire.version,
        "visitor_id": fire.visitor_id,
        "key": fire.key,
        "at": format_time(fire.at),
        "fired_at": format_time(now_ms),
        "event": _json(fire.event),
    }


def _decision_row(decision: DecisionRecord) -> dict[str, Any]:
    message = decision.message
    return {
        "message_id": message.message_id,
        "fire_id": message.fire_id,
        "site": message.site,
        "rule": message.rule,
        "visitor_id": message.visitor_id,
        "channel": message.channel,
        "template": message.template,
        "arm": decision.arm,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "detail": _json(decision.detail),
        "decided_at": format_time(decision.decided_at),
    }


def _message_row(record: MessageRecord) -> dict[str, Any]:
    message = record.message
    return {
        "message_id": message.message_id,
        "fire_id": message.fire_id,
        "site": message.site,
        "rule": message.rule,
        "version": message.version,
        "visitor_id": message.visitor_id,
        "channel": message.channel,
        "template": message.template,
        "tags": message.tags,
        "class": message.message_class,
        "state": record.state,
        "at": format_time(record.at),
        "due_at": format_time(message.due_at),
        "expires_at": format_time(message.expires_at),
        "recipients": record.recipients,
        "content": record.content,
        "detail": _json(record.detail),
        "retries": message.retries,
    }


def _version_row(rule: Rule, now_ms: int) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "version": rule.version,
        "source": rule.source,
        "first_seen_at": format_time(now_ms),
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
