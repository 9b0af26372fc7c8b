"""Read what the ledger of addresses holds, and store what was found out about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from trigger_worker.rules.model import MessageClass
from trigger_worker.store.records import insert_rows
from trigger_worker.store.sent import PersonMessage
from trigger_worker.store.statements import in_query_groups, statement
from warehouse.address_ledger import AddressFact, AddressKey, Standing
from warehouse.queries import Inserts, Queries


class AddressHistory(msgspec.Struct):
    """What is known of an address.

    Args:
        standing: its facts.
        messages: by id, the messages that were sent to it.
    """

    standing: Standing = msgspec.field(default_factory=Standing)
    messages: dict[str, PersonMessage] = {}


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
