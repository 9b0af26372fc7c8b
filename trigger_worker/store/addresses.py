"""Read what the ledger of addresses holds, and store what was found out about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from trigger_worker.rules.model import MessageClass
from trigger_worker.store.people import Visitor
from trigger_worker.store.records import insert_rows
from trigger_worker.store.sent import PersonMessage
from trigger_worker.store.statements import in_query_groups, statement
from warehouse.address_ledger import TYPED_CHANNELS, AddressFact, AddressKey, Standing
from warehouse.event import format_time
from warehouse.queries import Inserts, Queries


class AddressHistory(msgspec.Struct):
    """What is known of an address.

    Args:
        standing: its facts.
        messages: by id, the messages that were sent to it.
    """

    standing: Standing = msgspec.field(default_factory=Standing)
    messages: dict[str, PersonMessage] = {}


class ProvenAddress(msgspec.Struct, frozen=True):
    """The addresses of an `identify` event as they were written, known to be the person's since `at` (epoch ms)."""

    site: str = ""
    email: str = ""
    phone: str = ""
    at: int = 0


def read_addresses(queries: Queries, keys: Iterable[AddressKey], since: int) -> dict[AddressKey, AddressHistory]:
    """Return what is known of each address.

    Args:
        queries: the ClickHouse database.
        keys: the addresses.
        since: messages of before are left out, epoch ms.

    Cost: two queries for each group of some hundred addresses of a site, over their own rows, found by the key.
    """
    found = {key: AddressHistory() for key in keys}
    by_site: defaultdict[str, list[AddressKey]] = defaultdict(list)
    for key in found:
        by_site[key.site].append(key)
    for site, theirs in by_site.items():
        for group in in_query_groups(theirs, lambda key: (key.address,)):
            asked = {
                "site": site,
                "channels": sorted({key.channel for key in group}),
                "addresses": [key.address for key in group],
            }
            _read_facts(queries, site, asked, found)
            _read_messages(queries, site, {**asked, "since": max(0, since)}, found)
    return found


def store_facts(inserts: Inserts, facts: Iterable[AddressFact]) -> None:
    """Store facts; a fact that is stored again replaces itself.

    Cost: one insert; none without facts.
    """
    insert_rows(inserts, "address_facts", (fact.row() for fact in facts))


def read_telling(queries: Queries, since: int, after: Visitor, limit: int) -> list[Visitor]:
    """Return visitors whose events may tell of addresses, or of whose messages no address is stored.

    Args:
        queries: the ClickHouse database.
        since: only events that became visible after this instant count, epoch ms; 0 for all, and for messages, too.
        after: the last visitor of the page before.
        limit: most visitors.

    Cost: one query over a few columns of all events: for the first start, and after an import.
    """
    parameters = {
        "since": since,
        "site": after.site,
        "visitor": after.visitor_id,
        "channels": sorted(TYPED_CHANNELS),
        "limit": limit,
    }
    return [Visitor(*row) for row in queries.query(statement("telling_visitors"), parameters)]


def read_proven(queries: Queries, since: int, after: ProvenAddress, limit: int) -> list[ProvenAddress]:
    """Return addresses that an operator imported, or for which somebody vouches.

    Args:
        queries: the ClickHouse database.
        since: only events that became visible after this instant count, epoch ms.
        after: the last of the page before.
        limit: most addresses.

    Cost: one query over the `identify` events of every site: for the first start, and after an import.
    """
    parameters = {"since": since, "site": after.site, "email": after.email, "phone": after.phone, "limit": limit}
    return [ProvenAddress(*row) for row in queries.query(statement("proven_addresses"), parameters)]


def store_sent(inserts: Inserts, visitor: Visitor, sent: Iterable[tuple[AddressKey, PersonMessage]]) -> None:
    """Store messages that went to addresses before these were stored with messages.

    Args:
        inserts: the ClickHouse database.
        visitor: the person whom the messages were for.
        sent: each message with its address.

    Cost: one insert; none without messages.
    """
    rows = (
        {
            "site": key.site,
            "channel": key.channel,
            "address": key.address,
            "message_id": message.message_id,
            "state": state,
            "at": format_time(at),
            "rule": message.rule,
            "tags": sorted(message.tags),
            "class": message.message_class,
            "visitor_id": visitor.visitor_id,
            "fire_id": message.fire_id,
        }
        for key, message in sent
        for state, at in sorted(message.states.items())
        if state != "pending"
    )
    insert_rows(inserts, "address_messages", rows)


def _read_facts(
    queries: Queries, site: str, asked: Mapping[str, Any], found: Mapping[AddressKey, AddressHistory]
) -> None:
    for channel, address, fact, at in queries.query(statement("address_facts"), asked):
        history = found.get(AddressKey(site, channel, address))
        if history is not None:
            history.standing.take(fact, at)


def _read_messages(
    queries: Queries, site: str, asked: Mapping[str, Any], found: Mapping[AddressKey, AddressHistory]
) -> None:
    for channel, address, *message in queries.query(statement("address_messages"), asked):
        history = found.get(AddressKey(site, channel, address))
        if history is not None:
            message_id, fire_id, rule, tags, message_class, states = message
            history.messages[message_id] = _message(message_id, fire_id, channel, rule, tags, message_class, states)


def _message(
    message_id: str,
    fire_id: str,
    channel: str,
    rule: str,
    tags: Iterable[str],
    message_class: MessageClass,
    states: Iterable[tuple[str, int]],
) -> PersonMessage:
    message = PersonMessage(message_id, fire_id, channel, rule, frozenset(tags), message_class, {})
    for state, at in states:
        message.reach(state, at)
    return message
