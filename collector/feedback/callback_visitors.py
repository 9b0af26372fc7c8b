"""Whom a provider means that names an address or a message and nothing else."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from warehouse.connection import Warehouse
from warehouse.queries import read_sql

#: Most visitors of one address: a shop's own number may be everybody's.
_MOST_VISITORS: Final = 100


class Owner(msgspec.Struct, frozen=True):
    """A visitor of a site; `rule` is the one that sent the message that named them, '' for none."""

    site: str
    visitor_id: str
    rule: str = ""


def owners_of_address(warehouse: Warehouse, trait: Literal["phone", "email"], address: str) -> list[Owner]:
    """Return the visitors whose latest `identify` with that trait named this address.

    Args:
        address: a phone number in E.164; an email address in lower case.

    Raises:
        WarehouseError: ClickHouse did not answer.
    """
    parameters = {"trait": trait, "address": address, "limit": _MOST_VISITORS}
    return [Owner(*row) for row in warehouse.query(read_sql("collector", "visitors_by_trait"), parameters)]


def owner_of_message(warehouse: Warehouse, message_id: str) -> list[Owner]:
    """Return whose message it is, or nobody.

    Raises:
        WarehouseError: ClickHouse did not answer.
    """
    rows = warehouse.query(read_sql("collector", "message_owner"), {"message_id": message_id})
    return [Owner(*row) for row in rows]
