from __future__ import annotations

import operator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trigger_worker.deciding.gate.policy import (
    FATIGUE_LOOKBACK_MS,
    Cap,
    Fatigue,
    MessageKind,
    Policy,
    format_quiet,
    is_quiet,
    quiet_until_ms,
)
from trigger_worker.rules.files.quiet import parse_quiet
from trigger_worker.rules.model import MessageClass, QuietHours
from trigger_worker.store.sent import SentMessage

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("policy", "lookback_ms"),
    [
        # Messages to an address that nobody confirmed are counted over a day.
        (Policy(), 24 * HOUR),
        (Policy(gap_ms={"banner": 30_000}), 24 * HOUR),
        (Policy(caps=(Cap(max=1, per_ms=HOUR), Cap(max=2, per_ms=50 * HOUR)), gap_ms={"banner": 30_000}), 50 * HOUR),
        (Policy(fatigue=Fatigue(3, HOUR)), FATIGUE_LOOKBACK_MS),
        (Policy(fatigue=Fatigue(3, 2 * FATIGUE_LOOKBACK_MS)), 2 * FATIGUE_LOOKBACK_MS),
    ],
)
def test_looks_as_far_back_as_its_longest_window(policy: Policy, lookback_ms: int) -> None:
    assert policy.lookback_ms == lookback_ms


@pytest.mark.parametrize(
    ("kind", "channel", "tags", "message_class", "covered"),
    [
        (MessageKind(), "email", set(), "marketing", True),
        (MessageKind(channel="email"), "email", set(), "transactional", True),
        (MessageKind(channel="email"), "banner", set(), "marketing", False),
        (MessageKind(tag="discount"), "email", {"discount", "new"}, "marketing", True),
        (MessageKind(tag="discount"), "email", {"new"}, "marketing", False),
        (MessageKind(without="help"), "email", {"new"}, "marketing", True),
        (MessageKind(without="help"), "email", {"help", "new"}, "marketing", False),
        (MessageKind(message_class="marketing"), "email", set(), "transactional", False),
        (MessageKind(channel="email", tag="discount"), "sms", {"discount"}, "marketing", False),
    ],
)
def test_a_kind_covers_what_fits_all_its_words(
    kind: MessageKind, channel: str, tags: set[str], message_class: MessageClass, covered: bool
) -> None:
    assert kind.covers(channel, frozenset(tags), message_class) is covered


def test_a_kind_takes_the_messages_that_it_covers() -> None:
    sent = SentMessage(channel="email", rule="r", at_ms=0, tags=frozenset({"discount"}), message_class="transactional")
    assert MessageKind(channel="email", tag="discount", message_class="transactional").takes(sent)
    assert not MessageKind(channel="banner").takes(sent)
    assert not MessageKind(without="discount").takes(sent)
    assert not MessageKind(message_class="marketing").takes(sent)


def test_a_cap_describes_itself_as_the_file_does() -> None:
    emails = MessageKind(channel="email", message_class="marketing")
    assert Cap(max=1, per_ms=3_600_000, obeys=emails, counts=emails).described() == {
        "channel": "email",
        "class": "marketing",
        "max": 1,
        "per": "1h",
    }
    assert Cap(max=2, per_ms=60_000, obeys=MessageKind(without="urgent"), counts=emails).described() == {
        "obeys": {"without": "urgent"},
        "counts": {"channel": "email", "class": "marketing"},
        "max": 2,
        "per": "1m",
    }


NIGHT = parse_quiet("21:00-09:00")
LUNCH = parse_quiet("12:00-13:30")
EARLY = parse_quiet("00:00-02:30")
SHORT_BREAK = parse_quiet("02:20-02:10")
BREAK_AT_THE_CHANGE = parse_quiet("03:10-02:30")


def epoch_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def minute_at(moment_ms: int, zone: str) -> int:
    local = datetime.fromtimestamp(moment_ms / 1000, ZoneInfo(zone))
    return local.hour * 60 + local.minute


def is_end_skipped(quiet: QuietHours, now_ms: int, zone: str) -> bool:
    """Tell whether clocks go forward over the end of the quiet on this day or the next."""
    there = ZoneInfo(zone)
    today = datetime.fromtimestamp(now_ms / 1000, there).replace(hour=0, minute=0)
    ends = [today + timedelta(days=day, minutes=quiet.end_minute) for day in (0, 1)]
    return any(
        end.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != end.replace(tzinfo=None) for end in ends
    )


@pytest.mark.parametrize("text", ["21:00-09:00", "12:00-13:30", "00:00-00:01", "23:59-00:00"])
def test_a_span_is_written_as_it_is_read(text: str) -> None:
    assert format_quiet(parse_quiet(text)) == text


@pytest.mark.parametrize(
    ("quiet", "zone", "now", "until"),
    [
        # Outside, and both edges: the start is quiet, the end is not.
        (NIGHT, "UTC", "2026-11-22T20:59:59.999+00:00", None),
        (NIGHT, "UTC", "2026-11-22T21:00:00+00:00", "2026-11-23T09:00:00+00:00"),
        (NIGHT, "UTC", "2026-11-23T00:00:00+00:00", "2026-11-23T09:00:00+00:00"),
        (NIGHT, "UTC", "2026-11-23T08:59:59.999+00:00", "2026-11-23T09:00:00+00:00"),
        (NIGHT, "UTC", "2026-11-23T09:00:00+00:00", None),
        (LUNCH, "UTC", "2026-11-22T11:59:59+00:00", None),
        (LUNCH, "UTC", "2026-11-22T12:30:00+00:00", "2026-11-22T13:30:00+00:00"),
        (LUNCH, "UTC", "2026-11-22T13:30:00+00:00", None),
        # The same instant is night in one place and day in another.
        (NIGHT, "America/Los_Angeles", "2026-11-22T12:00:00+00:00", "2026-11-22T09:00:00-08:00"),
        (NIGHT, "Asia/Kolkata", "2026-11-22T12:00:00+00:00", None),
        # What is no zone is read as UTC.
        (NIGHT, "", "2026-11-22T22:00:00+00:00", "2026-11-23T09:00:00+00:00"),
        (NIGHT, "Mars/Olympus", "2026-11-22T22:00:00+00:00", "2026-11-23T09:00:00+00:00"),
        (NIGHT, "../../etc/passwd", "2026-11-22T22:00:00+00:00", "2026-11-23T09:00:00+00:00"),
        (NIGHT, "America", "2026-11-22T22:00:00+00:00", "2026-11-23T09:00:00+00:00"),
        (NIGHT, "x" * 10_000, "2026-11-22T22:00:00+00:00", "2026-11-23T09:00:00+00:00"),
        # Berlin, 29 March 2026: 02:00 becomes 03:00; the night is one hour shorter.
        (NIGHT, "Europe/Berlin", "2026-03-28T22:00:00+01:00", "2026-03-29T09:00:00+02:00"),
        # Berlin, 25 October 2026: 03:00 becomes 02:00; the night is one hour longer.
        (NIGHT, "Europe/Berlin", "2026-10-24T22:00:00+02:00", "2026-10-25T09:00:00+01:00"),
        # The end is skipped by the clock: the quiet lasts as long as if it were not.
        (EARLY, "Europe/Berlin", "2026-03-29T01:00:00+01:00", "2026-03-29T03:30:00+02:00"),
        # All that was free is skipped, so the quiet of the next day has begun when this one's would end.
        (SHORT_BREAK, "Europe/Berlin", "2026-03-28T12:00:00+01:00", "2026-03-30T02:10:00+02:00"),
        (SHORT_BREAK, "Europe/Berlin", "2026-03-29T03:00:00+02:00", "2026-03-30T02:10:00+02:00"),
        (BREAK_AT_THE_CHANGE, "Europe/Berlin", "2026-03-29T01:00:00+01:00", "2026-03-30T02:30:00+02:00"),
        # The end comes twice: before the first, the first counts; between them, the second.
        (EARLY, "Europe/Berlin", "2026-10-25T02:10:00+02:00", "2026-10-25T02:30:00+02:00"),
        (EARLY, "Europe/Berlin", "2026-10-25T02:10:00+01:00", "2026-10-25T02:30:00+01:00"),
    ],
)
def test_knows_until_when_it_is_quiet(quiet: QuietHours, zone: str, now: str, until: str | None) -> None:
    assert quiet_until_ms(quiet, epoch_ms(now), zone) == (None if until is None else epoch_ms(until))


minutes = st.integers(0, 1439)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


#: Chosen by chance, moments would hardly ever fall into a night in which clocks change.
changes = st.sampled_from([epoch_ms("2026-03-29T01:00:00+00:00"), epoch_ms("2026-10-25T01:00:00+00:00")])
near_a_change = st.builds(operator.add, changes, st.integers(-36 * HOUR, 36 * HOUR))


@given(minutes, minutes, zones, st.integers(1_577_836_800_000, 1_893_456_000_000) | near_a_change)
@example(2 * 60 + 1, 2 * 60, "Europe/Berlin", epoch_ms("2026-03-29T01:00:00+01:00"))
@example(3 * 60 + 31, 2 * 60 + 59, "Europe/Berlin", epoch_ms("2026-03-29T01:58:00+01:00"))
@example(2 * 60 + 59, 2 * 60 + 29, "Australia/Lord_Howe", epoch_ms("2026-10-04T01:56:00+10:30"))
def test_the_end_of_the_quiet_is_later_within_a_day_and_not_quiet(start: int, end: int, zone: str, now_ms: int) -> None:
    if start == end:
        end = (end + 1) % 1440
    quiet = QuietHours(start, end)
    until_ms = quiet_until_ms(quiet, now_ms, zone)
    if until_ms is None:
        assert not is_quiet(quiet, minute_at(now_ms, zone))
    else:
        days = 2 if is_end_skipped(quiet, now_ms, zone) else 1
        assert now_ms < until_ms <= now_ms + timedelta(days=days, hours=2).total_seconds() * 1000
        assert is_quiet(quiet, minute_at(now_ms, zone))
        assert not is_quiet(quiet, minute_at(until_ms, zone))
