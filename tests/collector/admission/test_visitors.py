"""How many events one visitor may send, and that nobody else pays for them."""

from __future__ import annotations

import pytest

from collector.admission import visitors
from collector.admission.visitors import VisitorPace
from warehouse.event import EventRow

NOW = 1_000_000
MINUTE_MS = 60_000


def row(anonymous_id: str = "phone", user_id: str = "", event: str = "view_item", site: str = "shop") -> EventRow:
    return EventRow(
        site=site,
        event=event,
        type="track",
        event_id="e",
        visitor_id=user_id or anonymous_id,
        anonymous_id=anonymous_id,
        user_id=user_id,
        ts="2026-11-22 12:00:00.000",
        received_at="2026-11-22 12:00:00.000",
        source="live",
    )


def test_what_is_beyond_a_minutes_worth_is_surplus_until_time_has_passed() -> None:
    pace = VisitorPace(60)
    assert pace.surplus([row()] * 62, NOW) == {60, 61}
    assert pace.surplus([row()] * 2, NOW + 1_000) == {1}
    assert pace.surplus([row()] * 61, NOW + 1_000 + MINUTE_MS) == {60}


def test_nobody_may_send_more_later_for_having_sent_little() -> None:
    pace = VisitorPace(60)
    assert pace.surplus([row()], NOW) == set()
    assert pace.surplus([row()] * 61, NOW + 100 * MINUTE_MS) == {60}


def test_a_clock_that_goes_back_gives_nothing() -> None:
    pace = VisitorPace(2)
    assert pace.surplus([row()] * 3, NOW) == {2}
    assert pace.surplus([row()], NOW - MINUTE_MS) == {0}
    assert pace.surplus([row()], NOW) == {0}


@pytest.mark.parametrize(
    "other",
    [
        row("tablet"),
        row(site="another"),
        row("", "phone"),
        row(event="consent"),
        row(event="unsubscribed"),
    ],
)
def test_others_and_answers_about_consent_are_counted_apart(other: EventRow) -> None:
    pace = VisitorPace(1)
    assert pace.surplus([row(), row(), other], NOW) == {1}


def test_a_browser_counts_as_one_whoever_it_says_that_it_is() -> None:
    pace = VisitorPace(2)
    assert pace.surplus([row(user_id=f"victim-{number}") for number in range(5)], NOW) == {2, 3, 4}
    assert pace.surplus([row("", "victim-0")], NOW) == set()


def test_none_is_surplus_without_a_limit() -> None:
    assert VisitorPace(0).surplus([row()] * 10_000, NOW) == set()


def test_the_visitors_in_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "MAX_VISITORS", 2)
    pace = VisitorPace(1)
    for browser in ("a", "b", "a", "c"):
        pace.surplus([row(browser)], NOW)
    assert pace.surplus([row("a")], NOW) == {0}, "it was seen after b"
    assert pace.surplus([row("b")], NOW) == set()


def test_visitors_who_were_erased_are_forgotten() -> None:
    pace = VisitorPace(1)
    rows = [row("phone"), row("tablet"), row("", "phone"), row("phone", site="other")]
    assert pace.surplus(rows, NOW) == set()
    pace.forget_erased(lambda site, visitor: (site, visitor) == ("shop", "phone"))
    assert pace.surplus(rows, NOW) == {1, 3}
