"""When an event happened, by the collector's clock; and what is said of times that cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest

from collector.intake import pipeline
from collector.intake.draft import DropReason, Receipt, WarningReason
from collector.intake.pipeline import Outcome
from collector.intake.sender_clock import SKEW_TOLERANCE_MS, ClientClocks
from tests.collector.messages import NOON, SHOP, dropped, kept, message
from warehouse.event import format_time

IMPORT: Final = Receipt(received_at=NOON, source="import")
SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS


def iso(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")


def made(
    *messages: dict[str, Any], sent: object = None, at: int = NOON, clocks: ClientClocks | None = None, **facts: Any
) -> Outcome:
    """What becomes of a request that came at an instant."""
    raw = [msgspec.Raw(msgspec.json.encode(each)) for each in messages]
    return pipeline.run(raw, SHOP, Receipt(received_at=at, sent_at=sent, **facts), {}, clocks)  # type: ignore[arg-type]


def reasons(outcome: Outcome) -> list[str]:
    return [told.reason for told in outcome.warnings]


@pytest.mark.parametrize(
    ("happened", "sent", "stored"),
    [
        pytest.param(NOON - 2000, NOON, NOON - 2000, id="clocks agree"),
        pytest.param(NOON - 2000, NOON - SKEW_TOLERANCE_MS, NOON - 2000, id="the journey is no skew"),
        pytest.param(NOON - 31_000, NOON - 30_000, NOON - 31_000, id="a slow journey is no skew"),
        pytest.param(NOON - HOUR_MS - 2000, NOON - HOUR_MS, NOON - 2000, id="the sender is an hour behind"),
        pytest.param(NOON + HOUR_MS - 2000, NOON + HOUR_MS, NOON - 2000, id="the sender is an hour ahead"),
        pytest.param(NOON + DAY_MS - 2000, NOON + DAY_MS, NOON - 2000, id="the sender is a day ahead"),
        pytest.param(NOON - 2 * HOUR_MS, NOON - 2 * HOUR_MS + 9, NOON - 2 * HOUR_MS, id="passed on two hours late"),
        pytest.param(NOON - 2 * DAY_MS, NOON - 2 * DAY_MS + 9, NOON - 2 * DAY_MS, id="passed on two days late"),
        pytest.param(NOON - 8 * HOUR_MS, NOON, NOON - 8 * HOUR_MS, id="kept while offline"),
        pytest.param(NOON + 2000, NOON, NOON, id="never after receipt"),
        pytest.param(NOON + HOUR_MS, None, NOON, id="no sentAt, in the future"),
        pytest.param(NOON - HOUR_MS, None, NOON - HOUR_MS, id="no sentAt, in the past"),
        pytest.param(None, NOON, NOON, id="no time at all"),
        pytest.param(None, NOON + HOUR_MS, NOON, id="no time at all, the sender is ahead"),
        pytest.param(None, NOON - 2 * HOUR_MS, NOON - 2 * HOUR_MS, id="no time at all, passed on two hours late"),
    ],
)
def test_an_event_is_placed_on_the_collectors_clock(happened: int | None, sent: int | None, stored: int) -> None:
    receipt = Receipt(received_at=NOON, sent_at=None if sent is None else iso(sent))
    row = kept(message(timestamp=None if happened is None else iso(happened)), receipt=receipt)
    assert (row.ts, row.received_at, row.untimed) == (format_time(stored), format_time(NOON), 0)


@pytest.mark.parametrize(
    ("happened", "sent", "told"),
    [
        (NOON - 2000, NOON, None),
        (NOON - 31_000, NOON - 30_000, None),
        (NOON + 30_000 - 10, NOON + 30_000, None),
        (NOON + 90_000 - 10, NOON + 90_000, "90 s ahead"),
        (NOON - HOUR_MS - 10, NOON - HOUR_MS, "3600 s behind"),
        (NOON + HOUR_MS, None, "3600 s after the receipt"),
        (NOON - 3 * HOUR_MS, NOON - 3 * HOUR_MS, None),
    ],
)
def test_a_clock_that_is_far_off_is_told_of(happened: int, sent: int | None, told: str | None) -> None:
    outcome = made(message(timestamp=iso(happened)), sent=None if sent is None else iso(sent))
    assert [(each.reason, told in each.detail) for each in outcome.warnings if told] == (
        [(WarningReason.CLOCK_SKEWED, True)] if told else []
    )
    assert bool(outcome.warnings) is bool(told)


def test_a_slow_request_shifts_no_event_and_no_order() -> None:
    """A clock that is an hour behind; the second request takes 30 s, and overtakes nothing."""
    clocks, behind = ClientClocks(), HOUR_MS
    ids = ("a", "b", "c")
    journeys = (200, 30_000, 100)
    happened = (NOON, NOON + 5_000, NOON + 20_000)
    rows = []
    for id_, journey, at in zip(ids, journeys, happened, strict=True):
        sent = iso(at - behind + 10)
        told = message(messageId=id_, timestamp=iso(at - behind))
        rows += made(told, sent=sent, at=at + 10 + journey, clocks=clocks).rows
    assert [row.ts for row in rows] == [
        format_time(at + off) for at, off in zip(happened, (200, 200, 100), strict=True)
    ]


def test_what_a_known_client_passes_on_late_keeps_its_time() -> None:
    clocks = ClientClocks()
    made(message(messageId="now"), sent=iso(NOON), clocks=clocks)
    for late_ms in (10 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 5 * DAY_MS):
        happened = NOON - late_ms
        late = message(messageId=f"late {late_ms}", timestamp=iso(happened))
        outcome = made(late, sent=iso(happened + 100), clocks=clocks)
        assert ([row.ts for row in outcome.rows], outcome.warnings) == ([format_time(happened)], [])


@pytest.mark.parametrize("late_ms", [10 * SECOND_MS, 10 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, DAY_MS])
def test_a_servers_queue_keeps_the_times_of_its_events(late_ms: int) -> None:
    happened = NOON - late_ms
    outcome = made(message(timestamp=iso(happened)), sent=iso(happened + 100), is_from_server=True)
    assert ([row.ts for row in outcome.rows], outcome.warnings) == ([format_time(happened)], [])


def test_one_client_tells_nothing_of_anothers_clock() -> None:
    clocks = ClientClocks()
    ahead = message(anonymousId="ahead", timestamp=iso(NOON + HOUR_MS - 10))
    assert made(ahead, sent=iso(NOON + HOUR_MS), clocks=clocks).rows[0].ts == format_time(NOON - 10)
    other = message(anonymousId="other", timestamp=iso(NOON - 10))
    assert made(other, sent=iso(NOON), clocks=clocks).rows[0].ts == format_time(NOON - 10)


def test_all_events_of_a_request_are_moved_alike() -> None:
    sent = [message(messageId=str(n), timestamp=iso(NOON + DAY_MS - n * 1000)) for n in range(50)]
    rows = made(*sent, sent=iso(NOON + DAY_MS)).rows
    assert [row.ts for row in rows] == [format_time(NOON - n * 1000) for n in range(50)]


def test_the_original_timestamp_wins() -> None:
    row = kept(message(timestamp=iso(NOON - 1), originalTimestamp=iso(NOON - 5000)))
    assert row.ts == format_time(NOON - 5000)


@pytest.mark.parametrize("receipt", [Receipt(received_at=NOON), IMPORT])
def test_a_timestamp_that_somebody_has_corrected_already_is_not_corrected_again(receipt: Receipt) -> None:
    """As Segment passes messages on: the device is a day ahead, and `timestamp` has been put right."""
    device = NOON + DAY_MS
    passed_on = {"originalTimestamp": iso(device - 5000), "sentAt": iso(device), "timestamp": iso(NOON - 7000)}
    assert kept(message(**passed_on), receipt=receipt).ts == format_time(NOON - 7000)


def test_a_time_that_the_shops_program_said_wins_over_when_its_sdk_was_called() -> None:
    row = kept(message(timestamp=iso(NOON - 5 * HOUR_MS), originalTimestamp=iso(NOON - 20)))
    assert row.ts == format_time(NOON - 5 * HOUR_MS)


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_sending_time_of_a_message_says_nothing(blank: str) -> None:
    outcome = made(message(timestamp=iso(NOON + HOUR_MS - 10), sentAt=blank), sent=iso(NOON + HOUR_MS))
    assert [row.ts for row in outcome.rows] == [format_time(NOON - 10)]


def test_the_messages_own_sending_time_wins_over_the_batchs_and_is_told_of() -> None:
    outcome = made(message(timestamp=iso(NOON - HOUR_MS - 10), sentAt=iso(NOON - HOUR_MS)), sent=iso(NOON))
    assert [row.ts for row in outcome.rows] == [format_time(NOON - 10)]
    assert reasons(outcome) == [WarningReason.CLOCK_SKEWED]


@pytest.mark.parametrize(
    "timestamp",
    [
        *("yesterday", "11/12/2026", "2026-02-30", "1970-01-21T01:53:20Z", "2100-01-01T00:00:00Z", "NaN", "0"),
        *("1999-12-31T23:59:59.999Z", "Invalid Date", "undefined", 0, 1, -1, 9e99, 1e308, True, [], {}),
        *(["2026-11-22"], {"when": 1}, 10**400),
    ],
)
def test_what_is_no_time_is_kept_with_that_of_its_receipt_and_a_warning_and_is_marked(timestamp: Any) -> None:
    outcome = made(message(timestamp=timestamp))
    (row,) = outcome.rows
    assert (row.ts, row.untimed) == (format_time(NOON), 1)
    assert reasons(outcome) == [WarningReason.TIME_UNREADABLE]
    assert "receipt" in outcome.warnings[0].detail


@pytest.mark.parametrize("timestamp", [None, "", "  "])
def test_a_message_without_a_time_is_of_now(timestamp: str | None) -> None:
    outcome = made(message(timestamp=timestamp))
    assert ([(row.ts, row.untimed) for row in outcome.rows], outcome.warnings) == ([(format_time(NOON), 0)], [])


def test_where_one_of_two_times_is_none_the_other_counts() -> None:
    outcome = made(message(originalTimestamp="noon", timestamp=iso(NOON - 7000)))
    assert [(row.ts, row.untimed) for row in outcome.rows] == [(format_time(NOON - 7000), 0)]
    assert reasons(outcome) == [WarningReason.TIME_UNREADABLE]
    outcome = made(message(originalTimestamp=iso(NOON - 7000), timestamp="noon"))
    assert [(row.ts, row.untimed) for row in outcome.rows] == [(format_time(NOON - 7000), 0)]


@pytest.mark.parametrize("own", [True, False])
def test_a_sending_time_that_is_none_is_told_of(own: bool) -> None:
    sent = message(timestamp=iso(NOON - 10), **({"sentAt": "soon"} if own else {}))
    outcome = made(sent, sent=None if own else "soon")
    assert [(row.ts, row.untimed) for row in outcome.rows] == [(format_time(NOON - 10), 0)]
    assert reasons(outcome) == [WarningReason.TIME_UNREADABLE]


def test_what_is_too_old_is_marked_as_what_cannot_be_read() -> None:
    outcome = made(message(timestamp=iso(NOON - 8 * DAY_MS)), oldest=NOON - 7 * DAY_MS)
    assert [(row.ts, row.untimed) for row in outcome.rows] == [(format_time(NOON), 1)]
    assert reasons(outcome) == [WarningReason.TOO_OLD]


@pytest.mark.parametrize("moment", [946_684_800_000, NOON - 400 * DAY_MS, NOON + HOUR_MS])
def test_the_time_of_history_is_trusted_as_it_stands(moment: int) -> None:
    row = kept(message(timestamp=iso(moment), sentAt=iso(NOON - HOUR_MS)), receipt=IMPORT)
    assert (row.ts, row.received_at, row.source) == (format_time(moment), format_time(NOON), "import")


@pytest.mark.parametrize(
    ("timestamp", "detail"),
    [
        (None, "missing"),
        ("", "missing"),
        ("yesterday", "'yesterday' has no form that is read; write it as"),
        ("11/12/2026", "write it as 2026-11-22"),
        ("1969-12-31T23:59:59Z", "check its unit"),
        ("2100-01-01T00:00:00Z", "check its unit"),
        (0, "check its unit"),
        (-1, "check its unit"),
        (9e99, "has no form"),
        ([], "has no form"),
    ],
)
def test_history_without_a_time_is_no_history(timestamp: Any, detail: str) -> None:
    drop = dropped(message(timestamp=timestamp), receipt=IMPORT)
    assert drop.reason is DropReason.NO_TIMESTAMP
    assert detail in drop.detail
