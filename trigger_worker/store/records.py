"""Store the worker's rows: firings, decisions, states of messages, events of our own, rule versions, the cursor."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from trigger_worker.rules.model import Rule
from trigger_worker.store.decisions import DecisionRecord
from trigger_worker.store.fires import Fire
from trigger_worker.store.message import MessageRecord
from warehouse.audit import store_audit
from warehouse.event import EventRow, format_time, kept_days
from warehouse.queries import Inserts


class Records:
    """Store rows; the same rows stored again, after a doubtful answer, are recognised by their content.

    Built once by each role, which knows how long events are kept, and handed to whoever stores.

    Args:
        inserts: the ClickHouse database.
        retention_days: by site, for how many days its events are kept; a site that is not named keeps them for the
            default of `EventRow`.
    """

    def __init__(self, inserts: Inserts, retention_days: Mapping[str, int] | None = None) -> None:
        self._inserts = inserts
        self._retention_days = retention_days or {}

    def store_fires(self, fires: Sequence[Fire], now_ms: int) -> None:
        """Store firings, as fired at `now_ms` (epoch ms).

        Cost: one insert, as for every method of this class; none without rows.
        """
        self._insert("fires", (fire_row(fire, now_ms) for fire in fires))

    def store_decisions(self, decisions: Sequence[DecisionRecord]) -> None:
        """Store decisions."""
        self._insert("decisions", map(decision_row, decisions))

    def store_messages(self, records: Sequence[MessageRecord]) -> None:
        """Store states that messages reached."""
        self._insert("messages", map(message_row, records))

    def store_events(self, rows: Sequence[EventRow]) -> None:
        """Store events of our own, to be kept as long as other events of their site."""
        self._insert("events", (kept_event(row, self._retention_days) for row in rows))

    def store_versions(self, rules: Sequence[Rule], now_ms: int) -> None:
        """Store the text of rule versions, as seen at `now_ms` (epoch ms); the first such instant counts."""
        self._insert("rule_versions", (_version_row(rule, now_ms) for rule in rules))

    def store_rule_changes(self, changes: Mapping[str, Sequence[str]]) -> None:
        """Store in the audit which rules were added, changed or removed while a worker ran, by these words."""
        store_audit(self._inserts, "rules folder", "rules_changed", changes)

    def store_cursor(self, worker: str, shard: int, read_to: int) -> None:
        """Store the instant (epoch ms) up to which the feed was read."""
        self._insert("worker_cursor", [{"worker": worker, "shard": shard, "read_to": format_time(read_to)}])

    def _insert(self, table: str, rows: Iterable[object]) -> None:
        insert_rows(self._inserts, table, rows)


def insert_rows(inserts: Inserts, table: str, rows: Iterable[object]) -> None:
    """Insert rows at most once: the token of the insert follows from their content.

    Cost: one insert; none without rows.
    """
    lines = b"\n".join(map(msgspec.json.encode, rows))
    if lines:
        inserts.insert_lines(table, lines, hashlib.sha256(lines).hexdigest())


def kept_event(row: EventRow, retention_days: Mapping[str, int]) -> EventRow:
    """Return an event of our own, to be kept as long as other events of its site.

    Args:
        row: the event.
        retention_days: by site, for how many days its events are kept.
    """
    days = retention_days.get(row.site, row.retention_days)
    return msgspec.structs.replace(row, retention_days=kept_days(row.event, days))


def fire_row(fire: Fire, now_ms: int) -> dict[str, Any]:
    """Return the row of a firing, as fired at `now_ms` (epoch ms)."""
    return {
        "fire_id": fire.fire_id,
        "site": fire.site,
        "rule": fire.rule,
        "version": fire.version,
        "visitor_id": fire.visitor_id,
        "key": fire.key,
        "at": format_time(fire.at),
        "known_at": format_time(fire.at + fire.late_ms),
        "fired_at": format_time(now_ms),
        "event": _json(fire.event),
    }


def decision_row(decision: DecisionRecord) -> dict[str, Any]:
    """Return the row of a decision."""
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


def message_row(record: MessageRecord) -> dict[str, Any]:
    """Return the row of a state that a message reached."""
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
        **({"addresses": record.addresses} if record.addresses else {}),
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
