"""Each reason of the gate, from an event to the row of `decisions` that says why, on both engines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from tests.trigger_worker.shop import START_MS, Shop
from trigger_worker.store.decisions import Decision, Reason

MINUTE_MS = 60_000
MAIL = "when: hover\nevery: 0s\nsend:\n  - email: reminder\n"
LATER = f"{MAIL}    after: 10m\n"
ADDRESS = ("identify", {"traits": {"email": "anna@example.com"}})
HOVER = ("hover", {"timezone": "Europe/Berlin"})

#: An event and its fields.
Happening = tuple[str, dict[str, Any]]


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What leads to a verdict.

    Args:
        rules: by id.
        policy, suppressions: the files.
        confirming: whether addresses of the site must be confirmed.
        ceiling: the most messages an hour; 0 for no ceiling.
        before: what happened before the worker looks for the first time.
        removes: the rule that is taken away after that.
        minutes: how long the worker goes on.
        then: what happens in the middle of that time.
        verdict, detail: what the row says, and values that it must hold.
    """

    rules: Mapping[str, str] = msgspec.field(default_factory=lambda: {"reminds": MAIL})
    policy: str = ""
    suppressions: str = ""
    confirming: bool = False
    ceiling: int = 0
    before: tuple[Happening, ...] = (ADDRESS, HOVER)
    removes: str = ""
    minutes: float = 0
    then: tuple[Happening, ...] = ()
    verdict: Decision = "drop"
    detail: Mapping[str, object] = {}


STORIES: Mapping[Reason, Story] = {
    Reason.PASSED: Story(verdict="send"),
    Reason.NO_CONSENT: Story(
        before=(ADDRESS, ("consent", {"channels": {"email": False}}), HOVER), detail={"denied": "channels.email"}
    ),
    Reason.UNSUBSCRIBED: Story(
        before=(ADDRESS, ("unsubscribed", {"channel": "email"}), HOVER), detail={"channel": "email"}
    ),
    Reason.SUPPRESSED: Story(
        before=(ADDRESS, ("email_bounced", {"address": "Anna@example.com", "kind": "hard"}), HOVER),
        detail={"channel": "email", "cause": "bounced"},
    ),
    Reason.NO_ADDRESS: Story(before=(HOVER,), detail={"channel": "email"}),
    Reason.ADDRESS_UNCONFIRMED: Story(confirming=True, detail={"channel": "email"}),
    Reason.ADDRESS_CONFIRMED: Story(
        rules={"reminds": "when: hover\nclass: transactional\nsend: [{email: reminder, tags: [confirmation]}]\n"},
        before=(("identify", {"traits": {"email": "anna@example.com"}, "proven_by": "server"}), HOVER),
        detail={"channel": "email"},
    ),
    Reason.CEILING: Story(ceiling=1, minutes=5, then=(HOVER,), verdict="defer"),
    Reason.HOLDOUT: Story(policy="holdout: 100%\n", detail={"holdout": "global", "share": 1.0}),
    Reason.RULE_REMOVED: Story(rules={"reminds": LATER}, removes="reminds", minutes=11),
    Reason.GOAL_REACHED: Story(
        rules={"reminds": f"{LATER}goal: purchase within 1d\n"}, then=(("purchase", {}),), minutes=11
    ),
    Reason.RESTARTED: Story(rules={"reminds": f"{LATER}restart: true\n"}, minutes=11, then=(HOVER,)),
    Reason.CONDITION: Story(rules={"reminds": f"{MAIL}    if: cart.value > 0\n"}),
    Reason.SCHEDULED: Story(
        rules={"reminds": f'{MAIL}    at: "18:30"\n'}, verdict="defer", detail={"timezone": "Europe/Berlin"}
    ),
    Reason.EXPIRED: Story(
        rules={"reminds": f"{MAIL}quiet: 11:00-13:00\nttl: 30m\n"},
        detail={
            "waiting_for": "quiet_hours",
            "quiet": "11:00-13:00",
            "expires_at_ms": START_MS + 30 * MINUTE_MS,
            "until_ms": START_MS + 60 * MINUTE_MS,
        },
    ),
    Reason.FATIGUE: Story(policy="fatigue: {ignored: 1, rest: 1d}\n", minutes=5, then=(HOVER,), detail={"ignored": 1}),
    Reason.PRIORITY: Story(
        rules={"reminds": f"{MAIL}priority: 10\n", "matters": f"{MAIL}priority: 90\n"},
        detail={"beaten_by": "matters", "priority": 10, "higher": 90},
    ),
    Reason.CAP: Story(
        policy="caps: [{channel: email, max: 1, per: 1h}]\n",
        minutes=5,
        then=(HOVER,),
        detail={"channel": "email", "max": 1, "per": "1h", "sent": 1},
    ),
    Reason.QUIET_HOURS: Story(
        policy="quiet: 11:00-13:00\n",
        verdict="defer",
        detail={"quiet": "11:00-13:00", "timezone": "Europe/Berlin", "until_ms": START_MS + 60 * MINUTE_MS},
    ),
    Reason.GAP: Story(policy="gap: {email: 1h}\n", minutes=5, then=(HOVER,), verdict="defer", detail={"gap": "1h"}),
}


def test_every_reason_has_a_story() -> None:
    assert set(STORIES) == set(Reason)


async def tell(shop: Shop, story: Story) -> None:
    """Let a story happen."""
    shop.write("policy.yaml", story.policy)
    shop.write("suppressions.txt", story.suppressions)
    shop.confirming = frozenset({"shop"} if story.confirming else ())
    shop.ceilings = {"shop": story.ceiling}
    await shop.starts()
    for rule_id, text in story.rules.items():
        shop.rule(rule_id, text)
    for event, fields in story.before:
        shop.happens(event, **fields)
    await shop.passes()
    if story.removes:
        (shop.folder / "rules" / f"{story.removes}.yaml").unlink()
    shop.now_ms += int(story.minutes / 2 * MINUTE_MS)
    for event, fields in story.then:
        shop.happens(event, **fields)
    await shop.passes()
    await shop.passes(story.minutes / 2 * 60)


def explained(shop: Shop, reason: str) -> list[tuple[Any, ...]]:
    """Return (rule, verdict, detail) of each decision with a reason."""
    sql = f"SELECT rule, verdict, detail FROM decisions WHERE reason = '{reason}' ORDER BY decided_at"
    return [(rule, verdict, msgspec.json.decode(detail)) for rule, verdict, detail in shop.rows(sql)]


@pytest.mark.parametrize("reason", Reason)
async def test_the_decision_says_why_with_the_values_that_decided(shop: Shop, reason: Reason) -> None:
    story = STORIES[reason]
    await tell(shop, story)
    rule, verdict, detail = explained(shop, reason)[0]
    assert (rule, verdict) == ("reminds", story.verdict)
    assert {key: detail.get(key) for key in story.detail} == story.detail
    assert shop.states("email") >= {{"send": "sent", "defer": "pending", "drop": "cancelled"}[verdict]}


async def test_the_lower_priority_names_the_message_that_beat_it(embedded_shop: Shop) -> None:
    await tell(embedded_shop, STORIES[Reason.PRIORITY])
    ((_, _, detail),) = explained(embedded_shop, Reason.PRIORITY)
    (sent,) = embedded_shop.channels["email"].sent
    assert (detail["message_id"], detail["beaten_by"]) == (sent.message_id, sent.rule)


async def test_rules_of_equal_priority_and_other_channels_do_not_beat_each_other(embedded_shop: Shop) -> None:
    banner = "when: hover\nevery: 0s\nsend:\n  - banner: hello\npriority: 10\n"
    await tell(embedded_shop, Story(rules={"one": MAIL, "two": MAIL, "shows": banner}))
    assert sorted(rule for rule, *_ in explained(embedded_shop, Reason.PASSED)) == ["one", "shows", "two"]


async def test_a_transactional_message_passes_what_restrains_marketing_and_counts(embedded_shop: Shop) -> None:
    story = Story(
        rules={"confirms": f"{MAIL}class: transactional\npriority: 10\n", "reminds": f"{MAIL}priority: 90\n"},
        policy="quiet: {email: none}\ncaps: [{channel: email, max: 2, per: 1h}]\ngap: {email: 1s}\nholdout: 0%\n",
        before=(ADDRESS, ("unsubscribed", {"channel": "sms"}), HOVER),
        minutes=4,
        then=(HOVER,),
    )
    await tell(embedded_shop, story)
    assert [rule for rule, *_ in explained(embedded_shop, Reason.PASSED)].count("confirms") == 2
    ((rule, _, detail),) = explained(embedded_shop, Reason.CAP)
    assert (rule, detail["sent"]) == ("reminds", 2)


async def test_the_operators_list_stops_a_message_from_the_next_decision_on(embedded_shop: Shop) -> None:
    await tell(embedded_shop, Story(suppressions="# wrote us a letter\nANNA@example.com\n"))
    ((_, _, detail),) = explained(embedded_shop, Reason.SUPPRESSED)
    assert detail == {"channel": "email", "cause": "listed"}
    embedded_shop.write("suppressions.txt", "somebody.else@example.com\n")
    embedded_shop.now_ms += 1000
    embedded_shop.happens("hover")
    await embedded_shop.passes()
    assert len(embedded_shop.channels["email"].sent) == 1


@pytest.mark.parametrize(
    ("then", "sent"),
    [
        (("consent", {"channels": {"email": True}}), 1),
        (("consent", {"marketing": True}), 1),
        (("subscribe", {}), 1),
        (("consent", {"channels": {"sms": True}}), 0),
    ],
)
async def test_who_comes_back_to_a_channel_is_written_to_again(embedded_shop: Shop, then: Happening, sent: int) -> None:
    before = (ADDRESS, ("unsubscribed", {"channel": "email"}))
    await tell(embedded_shop, Story(before=before, minutes=2, then=(then, HOVER)))
    assert len(embedded_shop.channels["email"].sent) == sent


async def test_a_new_address_is_written_to_after_the_old_one_bounced(embedded_shop: Shop) -> None:
    bounced = ("email_bounced", {"address": "anna@example.com", "kind": "hard"})
    moved = ("identify", {"traits": {"email": "anna@new.example"}})
    await tell(embedded_shop, Story(before=(ADDRESS, bounced, HOVER), minutes=2, then=(moved, HOVER)))
    (message,) = embedded_shop.channels["email"].sent
    assert message.recipients == ("anna@new.example",)


async def test_quiet_hours_leave_banners_alone_and_drop_where_the_policy_says_so(embedded_shop: Shop) -> None:
    banner = "when: hover\nevery: 0s\nsend:\n  - banner: hello\n"
    await tell(
        embedded_shop,
        Story(rules={"reminds": MAIL, "shows": banner}, policy="quiet: {hours: 11:00-13:00, then: drop}\n"),
    )
    assert embedded_shop.decisions() == [("banner", "send", "passed"), ("email", "drop", "quiet_hours")]


async def test_a_channel_that_needs_a_yes_waits_for_one(embedded_shop: Shop) -> None:
    story = Story(
        policy="consent_required: [email]\n", minutes=2, then=(("consent", {"channels": {"email": True}}), HOVER)
    )
    await tell(embedded_shop, story)
    ((_, _, detail),) = explained(embedded_shop, Reason.NO_CONSENT)
    assert detail == {"missing": "channels.email"}
    assert len(embedded_shop.channels["email"].sent) == 1
