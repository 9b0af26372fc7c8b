"""What holds of the gate whatever comes: for any message, any policy and any sequence of messages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.deciding.gate.facts import MessageFacts, Rival
from trigger_worker.deciding.gate.judge import CHECKS, judge
from trigger_worker.deciding.gate.policy import Cap, Fatigue, MessageKind, Policy, is_quiet
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.permission import Consent
from trigger_worker.rules.model import MessageClass, QuietHours
from trigger_worker.store.decisions import Reason
from trigger_worker.store.sent import SentMessage

SECOND = 1_000
HOUR = 3_600_000
DAY = 24 * HOUR
NOON = 1_795_348_800_000

CHANNELS = ("email", "banner", "sms")
channels = st.sampled_from(CHANNELS)
tags = st.sets(st.sampled_from(["discount", "urgent"])).map(frozenset)
classes: st.SearchStrategy[MessageClass] = st.sampled_from(["marketing", "transactional"])
kinds = st.builds(
    MessageKind,
    channel=st.sampled_from(["", *CHANNELS]),
    tag=st.sampled_from(["", "discount"]),
    without=st.sampled_from(["", "urgent"]),
    message_class=st.sampled_from([None, "marketing"]),
)
caps = st.builds(Cap, max=st.integers(1, 3), per_ms=st.integers(1, 40), obeys=kinds, counts=kinds)
spans = st.builds(
    QuietHours, st.integers(0, 719), st.integers(720, 1439), st.sampled_from(["defer", "drop"])
) | st.builds(QuietHours, st.integers(720, 1439), st.integers(0, 719), st.sampled_from(["defer", "drop"]))
quiets = st.dictionaries(channels, st.none() | spans)
zones = st.sampled_from(["", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
policies = st.builds(
    Policy,
    consent_required=st.sets(channels),
    quiet=quiets,
    caps=st.lists(caps, max_size=3).map(tuple),
    gap_ms=st.dictionaries(channels, st.integers(1, DAY)),
    fatigue=st.none() | st.builds(Fatigue, st.integers(1, 3), st.integers(1, DAY)),
    holdout=st.sampled_from([0.0, 0.5, 1.0]),
    suppressed=st.sampled_from([frozenset(), frozenset({"ada@example.com"})]),
)
sent_messages = st.builds(
    SentMessage,
    channel=channels,
    rule=st.sampled_from(["r", "another"]),
    at_ms=st.integers(NOON - 2 * DAY, NOON),
    tags=tags,
    message_class=classes,
    shown=st.booleans(),
    clicked=st.booleans(),
)
answers = st.sampled_from([None, True, False])
consents = st.builds(
    lambda marketing, email: Consent(marketing, {} if email is None else {"email": email}), answers, answers
)


def facts_of(message_classes: st.SearchStrategy[MessageClass] = classes) -> st.SearchStrategy[MessageFacts]:
    return st.builds(
        MessageFacts,
        site=st.just("shop"),
        visitor_id=st.just("ada"),
        channel=channels,
        rule=st.just("r"),
        expires_at_ms=st.integers(NOON - HOUR, NOON + 2 * DAY),
        message_class=message_classes,
        tags=tags,
        priority=st.integers(0, 100),
        rival=st.none() | st.builds(Rival, st.just("another"), st.just("m2"), st.integers(0, 100)),
        rule_verdict=st.sampled_from([None, Verdict("drop", Reason.GOAL_REACHED), Verdict("drop", Reason.CONDITION)]),
        recipients=st.sampled_from([(), ("ada@example.com",), ("Ada@Example.com", "+491711234567")]),
        timezone=zones,
        quiet=quiets,
        rule_holdout=st.sampled_from([0.0, 1.0]),
        consent=consents,
        unsubscribed=st.sets(channels).map(frozenset),
        suppressed=st.sampled_from([{}, {"ada@example.com": "bounced"}]),
        history=st.lists(sent_messages, max_size=5).map(tuple),
    )


@given(facts_of(), policies)
def test_the_verdict_is_that_of_the_first_check_that_has_one(facts: MessageFacts, policy: Policy) -> None:
    found = [verdict for check in CHECKS if (verdict := check(facts, policy, NOON)) is not None]
    assert judge(facts, policy, NOON) == (found[0] if found else Verdict("send", Reason.PASSED))


@given(facts_of(), policies)
def test_every_verdict_is_explained_and_consistent(facts: MessageFacts, policy: Policy) -> None:
    verdict = judge(facts, policy, NOON)
    assert (verdict.decision == "send") == (verdict.reason is Reason.PASSED)
    assert (verdict.decision == "defer") == (verdict.until_ms is not None)
    if verdict.until_ms is not None:
        assert NOON < verdict.until_ms < facts.expires_at_ms
        assert judge(facts, policy, verdict.until_ms).reason is not verdict.reason
    assert json.loads(json.dumps(verdict.detail)) == verdict.detail


@given(facts_of(st.just("transactional")), policies)
def test_a_transactional_message_is_restrained_by_nothing_but_what_makes_it_impossible(
    facts: MessageFacts, policy: Policy
) -> None:
    assert judge(facts, policy, NOON).reason in {
        Reason.PASSED,
        Reason.NO_CONSENT,
        Reason.SUPPRESSED,
        Reason.NO_ADDRESS,
        Reason.GOAL_REACHED,
        Reason.CONDITION,
        Reason.EXPIRED,
    }


@given(facts_of(), policies)
def test_a_no_is_always_respected(facts: MessageFacts, policy: Policy) -> None:
    verdict = judge(facts, policy, NOON)
    if facts.consent.channels.get(facts.channel) is False:
        assert verdict.decision == "drop"
    if facts.message_class == "marketing" and (
        facts.consent.marketing is False or facts.channel in facts.unsubscribed or policy.holdout == 1.0
    ):
        assert verdict.decision == "drop"


#: (how long after the one before it, its channel, tags and class)
arrivals = st.lists(st.tuples(st.integers(0, 15), channels, tags, classes), max_size=30)


@given(st.lists(caps, min_size=1, max_size=3), arrivals)
def test_no_sequence_of_messages_exceeds_a_cap_in_any_window(cap_list: list[Cap], sequence: list[Any]) -> None:
    policy = Policy(caps=tuple(cap_list))
    sent: list[SentMessage] = []
    now_ms = NOON
    for later_ms, channel, message_tags, message_class in sequence:
        now_ms += later_ms
        facts = MessageFacts(
            site="shop",
            message_id="m",
            visitor_id="ada",
            channel=channel,
            rule="r",
            expires_at_ms=now_ms + 1,
            message_class=message_class,
            tags=message_tags,
            recipients=("ada@example.com",),
            history=tuple(sent),
        )
        if judge(facts, policy, now_ms).decision == "send":
            made = SentMessage(channel=channel, rule="r", at_ms=now_ms, tags=message_tags, message_class=message_class)
            _assert_none_is_exceeded(cap_list, made, sent)
            sent.append(made)


def _assert_none_is_exceeded(cap_list: list[Cap], made: SentMessage, sent: list[SentMessage]) -> None:
    """A message that obeys a cap finds room in the window that ends with it; transactional ones obey none."""
    for cap in cap_list:
        if made.message_class == "marketing" and cap.obeys.takes(made):
            within = [other for other in sent if cap.counts.takes(other) and made.at_ms - other.at_ms < cap.per_ms]
            assert len(within) < cap.max


#: Days on which clocks change, with the day before and after: Berlin, New York, Lord Howe (by half an hour).
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 5, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 4, tzinfo=UTC)),
]


@given(st.sampled_from(CHANGES), st.integers(-DAY // SECOND, 2 * DAY // SECOND), spans)
def test_no_message_goes_out_in_quiet_hours_and_none_waits_longer_than_them_when_clocks_change(
    change: tuple[str, datetime], seconds: int, quiet: QuietHours
) -> None:
    zone, day = change
    moment = day + timedelta(seconds=seconds)
    now_ms = int(moment.timestamp() * 1000)
    facts = MessageFacts(
        site="shop",
        message_id="m",
        visitor_id="ada",
        channel="email",
        rule="r",
        expires_at_ms=now_ms + 3 * DAY,
        recipients=("ada@example.com",),
        timezone=zone,
    )
    verdict = judge(facts, Policy(quiet={"email": quiet}), now_ms)
    assert (verdict.decision == "send") is not is_quiet(quiet, _minute(now_ms, zone))
    if verdict.until_ms is not None:
        assert not is_quiet(quiet, _minute(verdict.until_ms, zone))
        assert judge(facts, Policy(quiet={"email": quiet}), verdict.until_ms).decision == "send"
        minutes = range(now_ms, verdict.until_ms, 60 * SECOND)
        assert all(is_quiet(quiet, _minute(minute_ms, zone)) for minute_ms in minutes) or _skipped(quiet, zone, day)


def _minute(moment_ms: int, zone: str) -> int:
    local = datetime.fromtimestamp(moment_ms / 1000, ZoneInfo(zone))
    return local.hour * 60 + local.minute


def _skipped(quiet: QuietHours, zone: str, day: datetime) -> bool:
    """Tells whether the clocks go forward over the end of the quiet, which then lasts as if they had not."""
    wall = day.replace(tzinfo=None) + timedelta(minutes=quiet.end_minute)
    there = wall.replace(tzinfo=ZoneInfo(zone))
    return there.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wall
