"""The messages that a firing asks for."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, fire
from trigger_worker.deciding.sequence.queueing import next_local_time, queue_messages

RULE = rule(
    """
when: hover
ttl: 1h
priority: 70
class: transactional
send:
  - banner: bar
  - email: reminder
    after: 4h
    tags: [discount]
"""
)


def test_each_entry_becomes_a_message_with_its_own_times() -> None:
    banner, email = queue_messages(RULE, fire(), NOON)
    assert (banner.channel, banner.template, banner.position) == ("banner", "bar", 0)
    assert (banner.due_at, banner.expires_at) == (NOON, NOON + 3_600_000)
    assert (email.channel, email.template, email.position, email.tags) == ("email", "reminder", 1, ("discount",))
    assert (email.due_at, email.expires_at) == (NOON + 4 * 3_600_000, NOON + 5 * 3_600_000)
    for message in (banner, email):
        assert (message.priority, message.message_class, message.attempts) == (70, "transactional", 0)
        assert (message.fire_id, message.visitor_id, message.fired_at) == ("fire-1", "anna", NOON)
        assert (message.rule, message.version, message.event) == ("r", RULE.version, fire().event)


def test_the_ids_follow_from_the_firing_and_the_place_in_the_rule() -> None:
    first, again, other = (
        queue_messages(RULE, fire(), NOON),
        queue_messages(RULE, fire(), NOON),
        queue_messages(RULE, fire("fire-2"), NOON),
    )
    assert [one.message_id for one in first] == [one.message_id for one in again]
    assert len({one.message_id for one in (*first, *other)}) == 4


def test_a_rule_that_sends_nothing_asks_for_nothing() -> None:
    assert queue_messages(rule("when: hover"), fire(), NOON) == []


@pytest.mark.parametrize(
    ("zone", "now", "at", "expected"),
    [
        ("Europe/Berlin", "2026-11-22T09:00+01:00", "10:00", "2026-11-22T10:00+01:00"),
        ("Europe/Berlin", "2026-11-22T10:00+01:00", "10:00", "2026-11-22T10:00+01:00"),
        ("Europe/Berlin", "2026-11-22T10:00:00.001+01:00", "10:00", "2026-11-23T10:00+01:00"),
        ("America/New_York", "2026-11-22T23:30+00:00", "18:30", "2026-11-22T18:30-05:00"),
        ("America/New_York", "2026-11-23T01:00+00:00", "19:00", "2026-11-23T19:00-05:00"),
        ("Pacific/Auckland", "2026-11-22T23:30+00:00", "10:00", "2026-11-24T10:00+13:00"),
        ("", "2026-11-22T09:00+00:00", "10:00", "2026-11-22T10:00+00:00"),
        ("No/Where", "2026-11-22T09:00+00:00", "10:00", "2026-11-22T10:00+00:00"),
        # The last Sunday of March in Berlin: 02:00 to 03:00 does not exist.
        ("Europe/Berlin", "2027-03-28T01:00+01:00", "02:30", "2027-03-28T03:30+02:00"),
        ("Europe/Berlin", "2027-03-27T12:00+01:00", "10:00", "2027-03-28T10:00+02:00"),
        ("Europe/Berlin", "2027-03-28T03:00+02:00", "02:30", "2027-03-28T03:30+02:00"),
        ("Europe/Berlin", "2027-03-28T03:31+02:00", "02:30", "2027-03-29T02:30+02:00"),
        # The last Sunday of October: 02:00 to 03:00 comes twice.
        ("Europe/Berlin", "2026-10-25T00:30+02:00", "02:30", "2026-10-25T02:30+02:00"),
        ("Europe/Berlin", "2026-10-25T02:30+02:00", "02:30", "2026-10-25T02:30+02:00"),
        ("Europe/Berlin", "2026-10-25T02:45+02:00", "02:30", "2026-10-25T02:30+01:00"),
        ("Europe/Berlin", "2026-10-25T02:15+01:00", "02:30", "2026-10-25T02:30+01:00"),
        ("Europe/Berlin", "2026-10-25T02:45+01:00", "02:30", "2026-10-26T02:30+01:00"),
        ("Europe/Berlin", "2026-10-25T02:45+02:00", "02:00", "2026-10-25T02:00+01:00"),
        ("Europe/Berlin", "2026-10-25T02:45+02:00", "03:00", "2026-10-25T03:00+01:00"),
        ("America/New_York", "2026-11-01T01:45-04:00", "01:30", "2026-11-01T01:30-05:00"),
        ("America/New_York", "2027-03-14T01:59-05:00", "02:30", "2027-03-14T03:30-04:00"),
        # Half an hour, both ways.
        ("Australia/Lord_Howe", "2026-04-05T01:50+11:00", "01:45", "2026-04-05T01:45+10:30"),
        ("Australia/Lord_Howe", "2026-04-05T01:50+11:00", "01:15", "2026-04-06T01:15+10:30"),
        ("Australia/Lord_Howe", "2026-10-04T01:59+10:30", "02:15", "2026-10-04T02:45+11:00"),
        # At midnight: back from 01:00, and from 24:00; forward from 00:00.
        ("America/Havana", "2026-11-01T00:45-04:00", "00:30", "2026-11-01T00:30-05:00"),
        ("America/Havana", "2026-03-07T23:50-05:00", "00:00", "2026-03-08T01:00-04:00"),
        ("America/Santiago", "2026-04-04T23:45-03:00", "23:30", "2026-04-04T23:30-04:00"),
        ("America/Santiago", "2026-04-04T23:45-03:00", "00:15", "2026-04-05T00:15-04:00"),
        ("America/Santiago", "2026-09-05T23:45-04:00", "00:15", "2026-09-06T01:15-03:00"),
        ("Africa/Cairo", "2026-04-23T23:50+02:00", "00:15", "2026-04-24T01:15+03:00"),
        # A whole day was skipped, and came late.
        ("Pacific/Apia", "2011-12-29T12:00-10:00", "10:00", "2011-12-31T10:00+14:00"),
        ("Europe/Berlin", "2026-10-24T12:00+02:00", "10:00", "2026-10-25T10:00+01:00"),
        ("Europe/Berlin", "2026-12-31T23:59+01:00", "00:00", "2027-01-01T00:00+01:00"),
    ],
)
def test_it_is_the_next_such_time_and_now_counts(zone: str, now: str, at: str, expected: str) -> None:
    hour, minute = at.split(":")
    due_at = next_local_time(int(hour) * 60 + int(minute), milliseconds(now), zone)
    assert due_at == milliseconds(expected), datetime.fromtimestamp(due_at / 1000, ZoneInfo(zone or "UTC"))


def milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "America/Santiago",
    "Asia/Beirut",
)


@given(
    zone=st.sampled_from(ZONES),
    now=st.integers(milliseconds("2024-01-01T00:00+00:00"), milliseconds("2027-12-31T00:00+00:00")),
    minute=st.integers(0, 1439),
)
def test_no_clock_shows_the_time_any_earlier(zone: str, now: int, minute: int) -> None:
    """Looked for minute by minute; a time that the clock skips is not shown within a day."""
    due_at = next_local_time(minute, now, zone)
    first = -(-now // 60_000)
    shown = [at * 60_000 for at in range(first, first + 1_560) if shows(zone, at * 60_000) == minute]
    assert due_at >= now
    assert due_at == shown[0] or (due_at < shown[0] and shows(zone, due_at) - minute in (30, 60))


def shows(zone: str, at: int) -> int:
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    return local.hour * 60 + local.minute
