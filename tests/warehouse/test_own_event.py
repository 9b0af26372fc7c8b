"""Events of Micromoment's own."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.warehouse.rows import NOON
from warehouse.event import DEFAULT_RETENTION_DAYS, LASTING_DAYS, EventRow
from warehouse.own_event import derived_event_id, own_event

NAMESPACE = uuid.UUID("6d6d6d72-6570-7000-8000-000000000000")


def made(name: str = "message_sent", properties: dict[str, Any] | None = None, **changes: Any) -> EventRow:
    """Return an event of Ada's at noon, with what a test wants otherwise."""
    usual: dict[str, Any] = {"event_id": "id", "site": "shop", "visitor_id": "ada", "at": NOON}
    return own_event(name, properties=properties or {}, **{**usual, **changes})


def test_an_event_is_a_live_row_whose_two_times_are_the_same() -> None:
    row = made(at=NOON + 7, message_id="m-7")
    assert (row.type, row.source, row.ts, row.received_at) == (
        *("track", "live"),
        *("2026-11-22 12:00:00.007", "2026-11-22 12:00:00.007"),
    )
    assert (row.event, row.event_id, row.site, row.visitor_id, row.message_id) == (
        *("message_sent", "id", "shop"),
        *("ada", "m-7"),
    )


@pytest.mark.parametrize("kept", [{"marketing": False}, {"channels": {"sms": False}}, {"count": 0}, {"machine": True}])
def test_a_refusal_and_a_zero_stay_and_what_is_empty_goes(kept: dict[str, Any]) -> None:
    assert json.loads(made(properties={"reason": "", "variant": None, **kept}).props) == kept


@pytest.mark.parametrize(
    ("name", "site_days", "days"),
    [
        ("message_sent", 30, 30),
        ("message_sent", None, DEFAULT_RETENTION_DAYS),
        ("consent", 30, LASTING_DAYS),
        ("push_unsubscribed", None, DEFAULT_RETENTION_DAYS),
    ],
)
def test_an_event_is_kept_as_long_as_its_site_says_and_a_permission_longer(
    name: str, site_days: int | None, days: int
) -> None:
    assert made(name, site_days=site_days).retention_days == days


def test_an_id_follows_from_namespace_and_identity_in_their_order() -> None:
    identity = ("unsubscribe", "m-7", 29922480)
    assert derived_event_id(NAMESPACE, identity) == derived_event_id(NAMESPACE, list(identity))
    other = uuid.UUID("6d6d6362-6163-7000-8000-000000000000")
    assert len({derived_event_id(n, i) for n in (NAMESPACE, other) for i in (identity, identity[::-1])}) == 4
