"""Whom a browser belongs to: ClickHouse, the feed and the worker's memory see the same, and only what was proven."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

import pytest

from collector.intake.draft import Drop, Receipt
from collector.sites import Site
from tests.collector.browsers import browser_of
from tests.collector.messages import NOON, message, processed
from tests.warehouse.rows import store
from trigger_worker.deciding.recipient.profile import PROFILE_WANTED, build_profile
from trigger_worker.people.arrival import accepted
from trigger_worker.people.reading import Scope, read_people
from trigger_worker.store.people import Visitor, find_people
from warehouse.connection import Warehouse
from warehouse.event import EventRow
from warehouse.migrations import migrate

SECRET: Final = b"the identity secret of the shop"
SITES: Final = {
    mode: Site("shop", "shop-key", identity=mode, identity_secrets=(SECRET,)) for mode in ("required", "optional")
}
ADA, MALLORY = browser_of("ada"), browser_of("mallory")
SIGNED: Final = hmac.new(SECRET, b"user-17", hashlib.sha256).hexdigest()

#: What a stranger sends to be the user: the ids, whether the stranger's secret is shown, and what is said.
ATTACKS: Final[list[dict[str, Any]]] = [
    {"anonymousId": MALLORY.anonymous_id, "userId": "user-17"},
    {"anonymousId": MALLORY.anonymous_id, "userId": "user-17", "context": {"userHash": SIGNED.upper()}},
    {"anonymousId": "user-17"},
    {"anonymousId": "cookie", "userId": "user-17"},
    {"anonymousId": ADA.anonymous_id},
    {"anonymousId": None, "userId": "user-17"},
    {"type": "alias", "previousId": "user-17", "userId": "mallory"},
    {"type": "alias", "previousId": MALLORY.anonymous_id, "userId": "user-17"},
    {"type": "alias", "previousId": ADA.anonymous_id, "userId": "mallory"},
]


def made(sent: dict[str, Any], site: Site, secret: str) -> list[EventRow]:
    outcome = processed(sent, site=site, receipt=Receipt(received_at=NOON, browser_secret=secret))
    return [] if isinstance(outcome, Drop) else [outcome]


def identify(traits: dict[str, str], number: int, **fields: Any) -> dict[str, Any]:
    kind = {"type": "identify", "event": None, "traits": traits}
    return message(**{**kind, "messageId": f"m-{number}", **fields})


@pytest.mark.parametrize("mode", SITES)
def test_only_what_was_proven_is_joined_and_counts_for_the_person(warehouse: Warehouse, mode: str) -> None:
    migrate(warehouse)
    proof = {"anonymousId": ADA.anonymous_id, "userId": "user-17", "context": {"userHash": SIGNED}}
    rows = made(identify({"email": "ada@example.com"}, 0, **proof), SITES[mode], ADA.secret)
    for number, attack in enumerate(ATTACKS, 1):
        rows += made(identify({"email": "evil@example.com"}, number, **attack), SITES[mode], MALLORY.secret)
    store(warehouse, *rows)
    joined = [("user-17", ADA.anonymous_id)]
    assert [(row.visitor_id, arrival.joined) for row in rows if (arrival := accepted(row, NOON)).joined] == joined
    assert list(warehouse.query("SELECT person, alias FROM identity FINAL")) == joined
    assert list(warehouse.query("SELECT count() FROM event_feed WHERE visitor_id = 'user-17'")) == [(1,)]
    user, strangers = Visitor("shop", "user-17"), [Visitor("shop", MALLORY.anonymous_id), Visitor("shop", "~user-17")]
    people = find_people(warehouse, [user, *strangers])
    assert set(people[user].ids) == {"user-17", ADA.anonymous_id}
    assert all("user-17" not in people[stranger].ids for stranger in strangers)
    state = read_people(warehouse, [user], Scope(PROFILE_WANTED), NOON, NOON)[user]
    assert build_profile("user-17", state.history, NOON).visitor.email == "ada@example.com"
