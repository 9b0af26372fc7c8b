"""How long an event is kept."""

from __future__ import annotations

import pytest

from warehouse.retention import LASTING_DAYS, kept_days


@pytest.mark.parametrize(
    ("event", "site_days", "days"),
    [
        ("page_view", 30, 30),
        ("unsubscribed", 30, LASTING_DAYS),
        ("email_bounced", 400, LASTING_DAYS),
        ("consent", LASTING_DAYS + 1, LASTING_DAYS + 1),
    ],
)
def test_what_was_refused_outlives_what_was_done(event: str, site_days: int, days: int) -> None:
    assert kept_days(event, site_days) == days
