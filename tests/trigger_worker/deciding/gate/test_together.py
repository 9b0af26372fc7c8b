"""What the gate makes of messages that others went before: caps with two sides, priority, fatigue beyond banners."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from trigger_worker.deciding.gate.facts import MessageFacts, Rival
from trigger_worker.deciding.gate.judge import judge
from trigger_worker.deciding.gate.policy import Fatigue, Policy
from trigger_worker.deciding.gate.policy_file import read_policy
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.permission import Consent
from trigger_worker.rules.model import QuietHours
from trigger_worker.store.decisions import Reason
from trigger_worker.store.sent import SentMessage

HOUR = 3_600_000
DAY = 24 * HOUR
#: 22 November 2026, 12:00 UTC.
NOON = 1_795_348_800_000


def message(channel: str = "email", *tags: str, **other: Any) -> MessageFacts:
    return MessageFacts(
        site="shop",
        message_id="m",
        visitor_id="ada",
        channel=channel,
        rule="reminds",
        expires_at_ms=NOON + DAY,
        tags=frozenset(tags),
        recipients=("ada@example.com",),
        **other,
    )


def sent(channel: str = "email", *tags: str, **other: Any) -> SentMessage:
    return SentMessage(channel=channel, tags=frozenset(tags), **{"rule": "another", "at_ms": NOON - HOUR // 2, **other})


NO_BANNER_AFTER_EMAIL = "caps: [{obeys: {channel: banner}, counts: {channel: email}, max: 1, per: 1h}]"
ORDERS_DO_NOT_COUNT = "caps: [{channel: email, max: 1, per: 1d, counts: {channel: email, class: marketing}}]"
URGENT_PASSES = "caps: [{max: 1, per: 1d, obeys: {without: urgent}}]"
HELP_IS_FREE = "caps: [{max: 1, per: 1d, counts: {without: help}}]"


@pytest.mark.parametrize(
    ("policy", "facts", "before", "reason"),
    [
        (NO_BANNER_AFTER_EMAIL, message("banner"), sent("email"), "cap"),
        (NO_BANNER_AFTER_EMAIL, message("banner"), sent("banner"), "passed"),
        (NO_BANNER_AFTER_EMAIL, message("email"), sent("email"), "passed"),
        (ORDERS_DO_NOT_COUNT, message(), sent(message_class="transactional"), "passed"),
        (ORDERS_DO_NOT_COUNT, message(), sent(), "cap"),
        (URGENT_PASSES, message("email", "urgent"), sent(), "passed"),
        (URGENT_PASSES, message(), sent("email", "urgent"), "cap"),
        (HELP_IS_FREE, message("banner", "help"), sent("banner"), "cap"),
        (HELP_IS_FREE, message(), sent("banner", "help"), "passed"),
    ],
)
def test_what_obeys_a_cap_and_what_counts_may_differ(
    policy: str, facts: MessageFacts, before: SentMessage, reason: str
) -> None:
    facts = msgspec.structs.replace(facts, history=(before,))
    assert judge(facts, read_policy(policy), NOON).reason == reason


RIVAL = Rival("matters", "m2", 60)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            message(priority=59, rival=RIVAL),
            Verdict(
                "drop",
                Reason.PRIORITY,
                {"beaten_by": "matters", "message_id": "m2", "priority": 59, "higher": 60},
            ),
        ),
        (message(priority=60, rival=RIVAL), Verdict("send", Reason.PASSED)),
        (message(priority=61, rival=RIVAL), Verdict("send", Reason.PASSED)),
        (message(priority=1, rival=RIVAL, message_class="transactional"), Verdict("send", Reason.PASSED)),
    ],
)
def test_the_lower_priority_yields_and_names_what_beat_it(facts: MessageFacts, expected: Verdict) -> None:
    assert judge(facts, Policy(), NOON) == expected


@pytest.mark.parametrize(
    ("channel", "fields", "reason"),
    [
        ("banner", {}, "passed"),
        ("banner", {"shown": True}, "fatigue"),
        ("email", {}, "fatigue"),
        ("email", {"clicked": True}, "passed"),
        ("sms", {}, "fatigue"),
        ("push", {}, "fatigue"),
        ("webhook", {}, "passed"),
        ("chat", {}, "passed"),
    ],
)
def test_an_offer_was_met_when_it_was_shown_or_sent_to_the_person(
    channel: str, fields: dict[str, bool], reason: str
) -> None:
    facts = message(channel, history=(sent(channel, rule="reminds", **fields),))
    assert judge(facts, Policy(fatigue=Fatigue(1, DAY)), NOON).reason == reason


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        (Consent(), "no_consent"),
        (Consent(marketing=True), "passed"),
        (Consent(channels={"email": True}), "passed"),
        (Consent(channels={"sms": True}), "no_consent"),
        (Consent(marketing=False, channels={"email": True}), "no_consent"),
    ],
)
def test_where_consent_is_required_silence_is_a_no(consent: Consent, reason: str) -> None:
    policy = read_policy("consent_required: [email]")
    assert judge(message(consent=consent), policy, NOON).reason == reason
    assert judge(message("push", consent=Consent()), policy, NOON).reason == "passed"
    assert judge(message(message_class="transactional"), policy, NOON).reason == "passed"


MIDDAY = QuietHours(11 * 60, 13 * 60)


@pytest.mark.parametrize(
    ("policy", "rule", "channel", "expected"),
    [
        ("quiet: 11:00-13:00", {}, "email", ("defer", "quiet_hours")),
        ("quiet: 11:00-13:00", {}, "banner", ("send", "passed")),
        ("quiet: {hours: 11:00-13:00, then: drop}", {}, "push", ("drop", "quiet_hours")),
        ("quiet: {banner: 11:00-13:00}", {}, "banner", ("defer", "quiet_hours")),
        ("quiet: {banner: 11:00-13:00}", {}, "email", ("send", "passed")),
        ("quiet: 11:00-13:00", {"email": None}, "email", ("send", "passed")),
        ("quiet: 11:00-13:00", {"sms": None}, "email", ("defer", "quiet_hours")),
        ("", {"banner": MIDDAY}, "banner", ("defer", "quiet_hours")),
    ],
)
def test_quiet_hours_are_those_of_the_rule_for_the_channels_it_speaks_of_else_the_policys(
    policy: str, rule: dict[str, QuietHours | None], channel: str, expected: tuple[str, str]
) -> None:
    verdict = judge(message(channel, quiet=rule), read_policy(policy), NOON)
    assert (verdict.decision, verdict.reason) == expected


@pytest.mark.parametrize(
    ("channel", "address", "cause"),
    [
        ("email", "Ada@Example.com", "listed"),
        ("sms", "+491711234567", "listed"),
        ("email", "ada@other.example", None),
    ],
)
def test_the_operators_list_stops_an_address_of_any_channel_and_class(
    channel: str, address: str, cause: str | None
) -> None:
    policy = Policy(suppressed=frozenset({"ada@example.com", "+491711234567"}))
    facts = msgspec.structs.replace(message(channel, message_class="transactional"), recipients=(address,))
    verdict = judge(facts, policy, NOON)
    assert (verdict.reason is Reason.SUPPRESSED, verdict.detail.get("cause")) == (cause is not None, cause)
