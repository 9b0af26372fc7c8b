from __future__ import annotations

from typing import Any

import pytest

from trigger_worker.deciding.gate.facts import MessageFacts, Rival
from trigger_worker.deciding.gate.judge import judge
from trigger_worker.deciding.gate.policy import Cap, Fatigue, MessageKind, Policy
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.permission import Consent
from trigger_worker.rules.model import QuietHours
from trigger_worker.store.decisions import Reason
from trigger_worker.store.sent import SentMessage

SECOND = 1_000
HOUR = 3_600_000
DAY = 24 * HOUR
#: 22 November 2026, 12:00 UTC: noon in London, 21:00 in Tokyo.
NOON = 1_795_348_800_000

PASSED = Verdict("send", Reason.PASSED)
DENIED = Consent(marketing=False)
BOUNCED = {"ada@example.com": "bounced"}
NIGHT = QuietHours(21 * 60, 9 * 60)


def message(
    *,
    channel: str = "email",
    rule: str = "cart_abandoned",
    expires_at_ms: int = NOON + DAY,
    recipients: tuple[str, ...] = ("ada@example.com",),
    **other: object,
) -> MessageFacts:
    return MessageFacts(
        site="shop",
        message_id="m",
        visitor_id="ada",
        channel=channel,
        rule=rule,
        expires_at_ms=expires_at_ms,
        recipients=recipients,
        **other,  # type: ignore[arg-type]  # each test names the facts that matter to it
    )


def sent(
    ago_ms: int, channel: str = "email", rule: str = "cart_abandoned", *, shown: bool = False, clicked: bool = False
) -> SentMessage:
    return SentMessage(channel=channel, rule=rule, at_ms=NOON - ago_ms, shown=shown, clicked=clicked)


def cap(per_ms: int, most: int = 1, **kind: Any) -> Cap:
    return Cap(max=most, per_ms=per_ms, obeys=MessageKind(**kind), counts=MessageKind(**kind))


def ruling(facts: MessageFacts, policy: Policy | None = None, now_ms: int = NOON) -> tuple[str, str]:
    verdict = judge(facts, policy or Policy(), now_ms)
    return verdict.decision, verdict.reason.value


def test_what_nothing_stands_against_is_sent() -> None:
    assert judge(message(), Policy(), NOON) == PASSED


@pytest.mark.parametrize(
    ("consent", "channel", "message_class", "denied"),
    [
        (Consent(), "email", "marketing", None),
        (Consent(marketing=True), "email", "marketing", None),
        (DENIED, "email", "marketing", "marketing"),
        (DENIED, "email", "transactional", None),
        (Consent(channels={"email": False}), "email", "marketing", "channels.email"),
        (Consent(channels={"email": False}), "email", "transactional", "channels.email"),
        (Consent(channels={"email": False}), "banner", "marketing", None),
        (Consent(marketing=False, channels={"email": True}), "email", "marketing", "marketing"),
    ],
)
def test_consent(consent: Consent, channel: str, message_class: str, denied: str | None) -> None:
    verdict = judge(message(channel=channel, consent=consent, message_class=message_class), Policy(), NOON)
    expected = PASSED if denied is None else Verdict("drop", Reason.NO_CONSENT, {"denied": denied})
    assert verdict == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (message(unsubscribed=frozenset({"email"})), ("drop", "unsubscribed")),
        (message(unsubscribed=frozenset({"sms"})), ("send", "passed")),
        (message(unsubscribed=frozenset({"email"}), message_class="transactional"), ("send", "passed")),
        (message(suppressed=BOUNCED), ("drop", "suppressed")),
        (message(suppressed=BOUNCED, message_class="transactional"), ("drop", "suppressed")),
        (message(suppressed=BOUNCED, recipients=("Ada@Example.com",)), ("drop", "suppressed")),
        # A new address is not the one that bounced; of several one that is good is enough.
        (message(suppressed=BOUNCED, recipients=("ada@new.example",)), ("send", "passed")),
        (message(suppressed=BOUNCED, recipients=("ada@example.com", "ada@new.example")), ("send", "passed")),
        (message(recipients=()), ("drop", "no_address")),
        (message(channel="banner", recipients=()), ("drop", "no_address")),
    ],
)
def test_where_a_message_may_go(facts: MessageFacts, expected: tuple[str, str]) -> None:
    assert ruling(facts) == expected


def test_the_global_holdout_gets_no_marketing_but_what_it_ordered() -> None:
    everybody = Policy(holdout=1.0)
    assert judge(message(), everybody, NOON) == Verdict("drop", Reason.HOLDOUT, {"holdout": "global", "share": 1.0})
    assert ruling(message(message_class="transactional"), everybody) == ("send", "passed")


@pytest.mark.parametrize(
    ("expires_at_ms", "expected"),
    [
        (NOON + 1, ("send", "passed")),
        (NOON, ("drop", "expired")),
        (NOON - 1, ("drop", "expired")),
    ],
)
def test_expiry_is_the_first_instant_that_is_too_late(expires_at_ms: int, expected: tuple[str, str]) -> None:
    assert ruling(message(expires_at_ms=expires_at_ms)) == expected
    assert ruling(message(expires_at_ms=expires_at_ms, message_class="transactional")) == expected


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ((), "send"),
        ((sent(DAY - 1),), "drop"),
        # The window is rolling and open at its far end: a message exactly as old as the window has left it.
        ((sent(DAY),), "send"),
        # At the very instant it counts, so that of two messages that come together one is let through.
        ((sent(0),), "drop"),
        ((sent(HOUR, channel="banner"),), "send"),
        ((sent(HOUR, rule="another"),), "drop"),
        ((SentMessage(channel="email", rule="order", at_ms=NOON - HOUR, message_class="transactional"),), "drop"),
    ],
)
def test_a_cap_counts_its_channel_in_a_rolling_window(history: tuple[SentMessage, ...], expected: str) -> None:
    policy = Policy(caps=(cap(DAY, channel="email"),))
    assert judge(message(history=history), policy, NOON).decision == expected


def test_a_used_up_cap_names_itself_and_the_count() -> None:
    policy = Policy(caps=(cap(HOUR, channel="banner"), cap(7 * DAY, most=2, tag="discount")))
    discount = frozenset({"discount"})
    history = tuple(
        SentMessage(channel=channel, rule="any", at_ms=NOON - DAY, tags=discount) for channel in ("email", "banner")
    )
    assert judge(message(tags=discount, history=history), policy, NOON) == Verdict(
        "drop", Reason.CAP, {"tag": "discount", "max": 2, "per": "1w", "sent": 2}
    )
    assert judge(message(history=history), policy, NOON) == PASSED


def test_a_cap_over_all_channels_counts_banners() -> None:
    policy = Policy(caps=(Cap(max=2, per_ms=DAY),))
    history = (sent(HOUR, channel="banner"), sent(2 * HOUR, channel="banner"))
    assert ruling(message(history=history), policy) == ("drop", "cap")


def test_transactional_messages_pass_caps_gaps_and_quiet_hours() -> None:
    policy = Policy(
        caps=(Cap(max=1, per_ms=DAY),), gap_ms={"email": HOUR}, quiet={"email": QuietHours(11 * 60, 13 * 60)}
    )
    history = (sent(SECOND),)
    assert ruling(message(history=history), policy) == ("drop", "cap")
    assert ruling(message(history=history, message_class="transactional"), policy) == ("send", "passed")


def test_quiet_hours_defer_to_the_morning_of_the_visitor() -> None:
    tokyo = message(timezone="Asia/Tokyo")
    verdict = judge(tokyo, Policy(quiet={"email": NIGHT}), NOON)
    assert (verdict.decision, verdict.reason, verdict.until_ms) == ("defer", Reason.QUIET_HOURS, NOON + 12 * HOUR)
    assert verdict.detail == {"quiet": "21:00-09:00", "timezone": "Asia/Tokyo", "until_ms": NOON + 12 * HOUR}
    assert judge(tokyo, Policy(quiet={"email": NIGHT}), NOON + 12 * HOUR) == PASSED
    assert judge(message(timezone="Europe/London"), Policy(quiet={"email": NIGHT}), NOON) == PASSED


def test_a_rules_own_quiet_hours_win_both_ways() -> None:
    noon_break = QuietHours(12 * 60, 13 * 60)
    assert ruling(message(quiet={"email": noon_break}), Policy(quiet={"email": NIGHT})) == ("defer", "quiet_hours")
    assert ruling(message(quiet={"email": noon_break}, timezone="Asia/Tokyo"), Policy(quiet={"email": NIGHT})) == (
        "send",
        "passed",
    )


def test_what_expires_before_the_quiet_is_over_is_dropped_as_expired() -> None:
    facts = message(timezone="Asia/Tokyo", expires_at_ms=NOON + 12 * HOUR)
    verdict = judge(facts, Policy(quiet={"email": NIGHT}), NOON)
    assert (verdict.decision, verdict.reason, verdict.until_ms) == ("drop", Reason.EXPIRED, None)
    assert verdict.detail["waiting_for"] == "quiet_hours"
    assert verdict.detail["until_ms"] == verdict.detail["expires_at_ms"] == NOON + 12 * HOUR


@pytest.mark.parametrize(
    ("ago_ms", "channel", "until_ms"),
    [
        (0, "banner", NOON + 30 * SECOND),
        (29_999, "banner", NOON + 1),
        (30_000, "banner", None),
        (SECOND, "email", None),
    ],
)
def test_a_gap_defers_until_the_channel_has_rested(ago_ms: int, channel: str, until_ms: int | None) -> None:
    facts = message(channel="banner", history=(sent(DAY, "banner"), sent(ago_ms, channel, rule="another")))
    verdict = judge(facts, Policy(gap_ms={"banner": 30 * SECOND}), NOON)
    assert verdict.until_ms == until_ms
    assert verdict.reason == (Reason.PASSED if until_ms is None else Reason.GAP)


def ignored(*hours_ago: int, clicked: int | None = None, rule: str = "cart_abandoned") -> tuple[SentMessage, ...]:
    return tuple(sent(hours * HOUR, "banner", rule, shown=True, clicked=hours == clicked) for hours in hours_ago)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (ignored(1, 2), "passed"),
        (ignored(1, 2, 3), "fatigue"),
        # The order in which history is given does not matter.
        (ignored(3, 1, 2), "fatigue"),
        (ignored(1, 2, 3, clicked=2), "passed"),
        # A click before the last three does not help; one among them does.
        (ignored(1, 2, 3, 4, clicked=4), "fatigue"),
        (ignored(1, 2, 3, rule="another"), "passed"),
        # Sent but not seen is not ignored.
        ((*ignored(1, 2), sent(3 * HOUR, "banner")), "passed"),
        # Rested: seven days after the latest of them.
        (ignored(168, 169, 170), "passed"),
        (ignored(167, 168, 169), "fatigue"),
        # Ignored once more after the rest, it rests again.
        (ignored(1, 170, 171), "fatigue"),
    ],
)
def test_a_rule_that_is_ignored_rests(history: tuple[SentMessage, ...], expected: str) -> None:
    policy = Policy(fatigue=Fatigue(ignored=3, rest_ms=7 * DAY))
    assert ruling(message(history=history), policy)[1] == expected
    assert ruling(message(history=history, message_class="transactional"), policy) == ("send", "passed")


ORDER = (
    *("no_consent", "unsubscribed", "suppressed", "no_address", "holdout", "goal_reached", "expired"),
    *("fatigue", "priority", "cap", "quiet_hours", "gap"),
)


@pytest.mark.parametrize("expected", ORDER)
def test_of_several_reasons_the_first_in_order_is_given(expected: str) -> None:
    standing = ORDER[ORDER.index(expected) :]
    facts = message(
        consent=DENIED if "no_consent" in standing else Consent(),
        unsubscribed=frozenset({"email"}) if "unsubscribed" in standing else frozenset(),
        suppressed=BOUNCED if "suppressed" in standing else {},
        # Without an address none can be suppressed: then the next reason is looked for.
        recipients=() if expected == "no_address" else ("ada@example.com",),
        rule_verdict=Verdict("drop", Reason.GOAL_REACHED) if "goal_reached" in standing else None,
        rival=Rival("more_important", "m2", 90) if "priority" in standing else None,
        expires_at_ms=NOON - 1 if "expired" in standing else NOON + 2 * DAY,
        history=(sent(SECOND, shown=True),),
    )
    policy = Policy(
        holdout=1.0 if "holdout" in standing else 0.0,
        fatigue=Fatigue(1, DAY) if "fatigue" in standing else None,
        caps=(Cap(max=1, per_ms=DAY),) if "cap" in standing else (),
        quiet={"email": QuietHours(0 * 60, 23 * 60)} if "quiet_hours" in standing else {},
        gap_ms={"email": DAY},
    )
    assert ruling(facts, policy)[1] == expected
