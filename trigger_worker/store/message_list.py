"""List messages for commands and console: each with its latest state, and why it failed or was cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from trigger_worker.store.message import MessageState
from trigger_worker.store.people import Visitor, find_people, read_sites
from trigger_worker.store.statements import statement
from warehouse.connection import Row
from warehouse.queries import Queries


class ListedMessage(msgspec.Struct, frozen=True):
    """A message with its latest state.

    Args:
        due_at, changed_at: when it is or was to be sent, and when it reached its state, epoch ms.
        attempts: how often its channel was tried.
        retries: how often an operator asked for it again.
        reason: why it failed or was cancelled, empty otherwise.
        error: the error of the channel or its provider.
    """

    message_id: str
    site: str
    rule: str
    visitor_id: str
    channel: str
    state: MessageState
    due_at: int
    changed_at: int
    attempts: int = 0
    retries: int = 0
    reason: str = ""
    error: str = ""


class _Detail(msgspec.Struct, frozen=True):
    attempts: int = 0
    reason: str = ""
    error: str = ""


def read_messages(
    queries: Queries, *, states: Sequence[MessageState] = (), rule: str = "", visitor: str = "", limit: int = 100
) -> list[ListedMessage]:
    """Return messages, the latest change first.

    Args:
        queries: the ClickHouse database with the messages.
        states: only messages in these states; empty for all.
        rule: only messages of this rule; empty for all.
        visitor: only messages to this person, by any of their ids; empty for all.
        limit: the most messages to return.

    Cost: one query over the messages table; two more, of one person, where a visitor is given.
    """
    ids = _ids_of(queries, visitor) if visitor else []
    parameters: dict[str, Any] = {"states": list(states), "rule": rule, "ids": ids, "limit": limit}
    return [_listed(row) for row in queries.query(statement("listed_messages"), parameters)]


def _ids_of(queries: Queries, visitor: str) -> list[str]:
    people = find_people(queries, [Visitor(site, visitor) for site in read_sites(queries, visitor)])
    return sorted({visitor}.union(*(person.ids for person in people.values())))


def _listed(row: Row) -> ListedMessage:
    message_id, site, rule, visitor_id, channel, state, detail, due_at, changed_at, retries = row
    told = msgspec.json.decode(detail, type=_Detail) if detail else _Detail()
    return ListedMessage(
        message_id=message_id,
        site=site,
        rule=rule,
        visitor_id=visitor_id,
        channel=channel,
        state=state,
        due_at=due_at,
        changed_at=changed_at,
        attempts=told.attempts,
        retries=retries,
        reason=told.reason,
        error=told.error,
    )
