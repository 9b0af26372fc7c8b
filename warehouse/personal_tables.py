"""Which rows of which tables are about a person: every table of the schema is here, or said to hold nothing personal.

`$ids` stands for the site and every id of the person, as a subquery of two columns; `$list` for the ids, as an array.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec


class Mention(msgspec.Struct, frozen=True):
    """A column in which rows of somebody else may name an id of the person, as a shared browser makes them do.

    Args:
        column: the column.
        where: the condition for rows that name an id.
        without: the value without the ids.
    """

    column: str
    where: str
    without: str


class PersonalTable(msgspec.Struct, frozen=True):
    """The rows of a table that are about a person.

    Args:
        where: the condition for them.
        order: how an export orders them.
        mention: where rows of somebody else may name the person.
        first: a statement that comes before the rows are removed.
    """

    where: str
    order: str
    mention: Mention | None = None
    first: str = ""


_OF_VISITOR: Final = "(site, visitor_id) IN $ids"

PERSONAL_TABLES: Final[Mapping[str, PersonalTable]] = {
    "events": PersonalTable(_OF_VISITOR, "ts, event_id", Mention("anonymous_id", "(site, anonymous_id) IN $ids", "''")),
    "event_feed": PersonalTable(_OF_VISITOR, "ingested_at, event_id"),
    "visitor_daily": PersonalTable(_OF_VISITOR, "day, event, visitor_id"),
    "identity": PersonalTable("(site, alias) IN $ids OR (site, person) IN $ids", "alias"),
    "identity_by_person": PersonalTable("(site, alias) IN $ids OR (site, person) IN $ids", "person, alias"),
    "fires": PersonalTable(_OF_VISITOR, "at, fire_id"),
    "decisions": PersonalTable(_OF_VISITOR, "decided_at, message_id"),
    "messages": PersonalTable(
        _OF_VISITOR,
        "at, message_id, state",
        Mention("recipients", "hasAny(recipients, $list)", "arrayFilter(each -> NOT has($list, each), recipients)"),
    ),
    "address_messages": PersonalTable(_OF_VISITOR, "at, message_id, state"),
    "refusing_ids": PersonalTable(_OF_VISITOR, "at"),
    # A code that was given out must not be given to somebody else: the row stays, as nobody's.
    "coupon_assignments": PersonalTable(
        _OF_VISITOR,
        "assigned_at, code",
        first=(
            "INSERT INTO coupon_assignments (site, pool, rule, visitor_id, code, assigned_at)"
            " SELECT site, pool, rule, '', code, assigned_at FROM coupon_assignments WHERE (site, visitor_id) IN $ids"
        ),
    ),
}

#: The other tables, with the reason why they hold nothing personal.
IMPERSONAL_TABLES: Final[Mapping[str, str]] = {
    "address_facts": "keyed hashes of addresses: that one is not to be written to must outlast whoever had it",
    "verified_products": "products of the shop",
    "feed_products": "products of the shop",
    "worker_cursor": "up to when the feed was read",
    "rule_versions": "the text of rules",
    "schema_migrations": "which schema files were applied",
    "tombstones": "keyed hashes, of which nobody without the secret can tell an id",
    "faults": "what senders do wrong, counted; the examples hold no ids, no texts of pages and no addresses",
    "audit": "what operators did, and who they are; never about whom",
}
