"""Provider callbacks: the visitors that an address or a message id names, and the event that a callback becomes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from collector.sites import Site
from warehouse.connection import Warehouse
from warehouse.event import EventRow
from warehouse.limits import MAX_TEXT_LENGTH
from warehouse.message_token import MessageToken
from warehouse.own_event import derived_event_id, own_event
from warehouse.queries import read_sql

#: Most visitors of one address: a shop's own number may be everybody's.
_MOST_VISITORS: Final = 100
_NAMESPACE: Final = uuid.UUID("6d6d6362-6163-7000-8000-000000000000")


class Owner(msgspec.Struct, frozen=True):
    """A visitor of a site whom a callback is about.

    Args:
        site, visitor_id: the visitor.
        rule: the rule that sent the message, '' for none.
        addresses: the keyed hashes of the addresses that the message was sent to.
    """

    site: str
    visitor_id: str
    rule: str = ""
    addresses: tuple[str, ...] = ()


def owners_of_address(warehouse: Warehouse, trait: Literal["phone", "email"], address: str) -> list[Owner]:
    """Return the visitors whose latest `identify` event with a trait named this address.

    Cost: one query that reads every `identify` event of every site: callbacks that name an address are rare enough.
    The first 100 visitors come back.

    Args:
        warehouse: where events are stored.
        trait: the trait that holds the address.
        address: a phone number in E.164; an email address in lower case.

    Raises:
        WarehouseError: ClickHouse did not answer.
    """
    parameters = {"trait": trait, "address": address, "limit": _MOST_VISITORS}
    return [Owner(*row) for row in warehouse.query(read_sql("collector", "visitors_by_trait"), parameters)]


def owner_of_message(warehouse: Warehouse, message_id: str) -> list[Owner]:
    """Return the visitor whom a message was for, or an empty list when no message has this id.

    Cost: one query that reads the ids of all rows of `messages`: callbacks that name a message are rare enough.

    Raises:
        WarehouseError: ClickHouse did not answer.
    """
    rows = warehouse.query(read_sql("collector", "message_owner"), {"message_id": message_id})
    return [Owner(site, visitor_id, rule, tuple(addresses)) for site, visitor_id, rule, addresses in rows]


def callback_event(
    name: str,
    site: Site,
    visitor_id: str,
    identity: tuple[str, ...],
    now_ms: int,
    properties: Mapping[str, Any],
    message_id: str = "",
) -> EventRow:
    """Return the event of a visitor that a callback becomes.

    Args:
        name: the event's name.
        site: the visitor's site.
        visitor_id: the visitor whom the callback is about.
        identity: values that repeated callbacks share; the event's id follows from them, name and visitor.
        now_ms: epoch ms.
        properties: the provider's facts; texts are cut to what a column holds, '' and None left out.
        message_id: the message that the callback is about; '' for none.
    """
    return own_event(
        name,
        event_id=derived_event_id(_NAMESPACE, ("callback", name, site.name, visitor_id, *identity)),
        site=site.name,
        visitor_id=visitor_id,
        at=now_ms,
        properties={key: _bounded(value) for key, value in properties.items()},
        message_id=message_id,
        site_days=site.retention_days,
    )


def message_event(name: str, token: MessageToken, site: Site, now_ms: int, reason: str = "") -> EventRow:
    """Return the event of the visitor whom a message was for; each kind of event happens to a message once."""
    properties = {"rule": token.rule, "variant": token.variant, "channel": token.channel, "reason": reason}
    identity = (token.message_id,)
    return callback_event(name, site, token.visitor_id, identity, now_ms, properties, token.message_id)


def _bounded(value: object) -> object:
    return value[:MAX_TEXT_LENGTH] if isinstance(value, str) else value
