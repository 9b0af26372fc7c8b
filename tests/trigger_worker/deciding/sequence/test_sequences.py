"""Several messages of one firing: what is asked again, what ends them, and what a change of the rule leaves alone."""

from __future__ import annotations

import time

import pytest

from tests.trigger_worker.shop import Shop

STEPS = """
when: add_to_cart
every: 0s
send:
  - banner: hello
  - email: reminder
    after: 4m
    unless: clicked(banner)
  - webhook: hook
    after: 20m
    unless: opened(email) or clicked(email)
"""
LATER = "when: hover\nevery: 0s\nsend:\n  - banner: hello\n    after: 5m\n"


@pytest.fixture
def sequence(embedded_shop: Shop) -> Shop:
    """A shop whose visitor has an address and has just filled a cart."""
    embedded_shop.write("templates/hook.webhook.json", '{"visitor": "{{ visitor.id }}"}')
    embedded_shop.rule("abandoned", STEPS)
    embedded_shop.happens("identify", user="u1", traits={"email": "anna@example.com"})
    embedded_shop.happens("add_to_cart", user="u1", product_id="p1", name="Tent", price=100.0)
    return embedded_shop


def steps(shop: Shop) -> list[str]:
    """Return the channels that something went out on, in order."""
    rows = shop.rows("SELECT channel FROM messages WHERE state = 'sent' ORDER BY at, due_at")
    return [channel for (channel,) in rows]


def stopped(shop: Shop) -> dict[str, str]:
    """Return why what was stopped was, by channel."""
    return dict(shop.rows("SELECT channel, reason FROM decisions WHERE verdict = 'drop'"))


def message_on(shop: Shop, channel: str) -> str:
    return shop.channels[channel].sent[-1].message_id


async def test_the_steps_go_out_each_at_its_time_and_on_its_channel(sequence: Shop) -> None:
    for minutes in (0, 3.9, 0.2, 15.8, 0.2):
        await sequence.passes(minutes * 60)
    assert steps(sequence) == ["banner", "email", "webhook"]
    assert len(sequence.channels["email"].sent) == 1


async def test_pending_steps_are_visible_in_clickhouse(sequence: Shop) -> None:
    await sequence.passes()
    query = """
        SELECT channel, dateDiff('minute', at, due_at) FROM messages
        GROUP BY channel, at, due_at, message_id HAVING countIf(state != 'pending') = 0 AND channel != 'banner'
        ORDER BY channel
    """
    assert sequence.rows(query) == [("email", 4), ("webhook", 20)]


@pytest.mark.parametrize("event", ["email_opened", "email_clicked"])
async def test_a_step_that_asks_is_left_out_once_the_visitor_has_reacted(sequence: Shop, event: str) -> None:
    await sequence.passes()
    await sequence.passes(241)
    sequence.happens(event, user="u1", message_id=message_on(sequence, "email"))
    await sequence.passes(60)
    await sequence.passes(1200)
    assert steps(sequence) == ["banner", "email"]
    assert stopped(sequence) == {"webhook": "condition"}


async def test_a_delivery_that_is_asked_for_escalates_when_it_did_not_come(embedded_shop: Shop) -> None:
    shop = embedded_shop
    shop.write("templates/hook.webhook.json", "{}")
    shop.rule(
        "r", "when: hover\nsend:\n  - webhook: hook\n  - banner: hello\n    after: 1m\n    unless: delivered(webhook)\n"
    )
    shop.rule(
        "s", "when: hover\nsend:\n  - email: reminder\n  - banner: hello\n    after: 1m\n    if: not delivered(email)\n"
    )
    shop.happens("hover")
    await shop.passes()
    await shop.passes(61)
    assert steps(shop) == ["webhook", "banner"]
    assert shop.rows("SELECT rule, reason FROM decisions WHERE channel = 'banner' ORDER BY rule") == [
        ("r", "condition"),
        ("s", "passed"),
    ]


async def test_a_purchase_that_is_the_goal_ends_the_rest(sequence: Shop) -> None:
    sequence.rule("abandoned", f"{STEPS}goal: purchase within 3d\n")
    await sequence.passes()
    await sequence.passes(1)
    sequence.happens("purchase", user="u1", value=100.0)
    await sequence.passes(1300)
    assert steps(sequence) == ["banner"]
    assert stopped(sequence) == {"email": "goal_reached", "webhook": "goal_reached"}


@pytest.mark.parametrize(
    ("message_class", "expected"),
    [("marketing", ["banner"]), ("transactional", ["banner", "email", "webhook"])],
)
async def test_unsubscribing_from_anything_ends_a_marketing_sequence(
    sequence: Shop, message_class: str, expected: list[str]
) -> None:
    sequence.rule("abandoned", f"{STEPS}class: {message_class}\n")
    await sequence.passes()
    await sequence.passes(1)
    sequence.happens("unsubscribed", user="u1", channel="sms")
    await sequence.passes(241)
    await sequence.passes(960)
    assert steps(sequence) == expected
    assert set(stopped(sequence).values()) == ({"unsubscribed"} if expected == ["banner"] else set())


async def test_a_firing_after_the_unsubscribing_is_the_gates_matter(embedded_shop: Shop) -> None:
    embedded_shop.rule("lingers", LATER)
    embedded_shop.happens("unsubscribed", channel="sms")
    await embedded_shop.passes(1)
    embedded_shop.happens("hover")
    await embedded_shop.passes(1)
    await embedded_shop.passes(300)
    assert steps(embedded_shop) == ["banner"]


@pytest.mark.parametrize(("restart", "expected"), [("true", 1), ("false", 2)])
async def test_a_newer_firing_ends_the_older_where_the_rule_says_so(
    embedded_shop: Shop, restart: str, expected: int
) -> None:
    embedded_shop.rule("lingers", f"{LATER}restart: {restart}\n")
    for _ in range(2):
        embedded_shop.happens("hover")
        await embedded_shop.passes(120)
    await embedded_shop.passes(300)
    assert len(embedded_shop.sent()) == expected
    restarted = embedded_shop.rows("SELECT detail FROM decisions WHERE verdict = 'drop' AND reason = 'restarted'")
    assert len(restarted) == 2 - expected
    if restarted:
        ((newest,),) = embedded_shop.rows("SELECT fire_id FROM fires ORDER BY at DESC LIMIT 1")
        assert restarted == [(f'{{"newer_fire_id":"{newest}"}}',)]
        assert embedded_shop.states() == {"pending", "sent", "cancelled"}


async def test_only_a_firing_for_the_same_key_and_visitor_restarts(embedded_shop: Shop) -> None:
    embedded_shop.rule("lingers", f"{LATER}key: product_id\nrestart: true\n")
    for visitor, product in (("anna", "p1"), ("anna", "p2"), ("bob", "p1"), ("anna", "p1")):
        embedded_shop.happens("hover", visitor, product_id=product)
        await embedded_shop.passes(10)
    await embedded_shop.passes(300)
    assert sorted(embedded_shop.sent()) == ["anna", "anna", "bob"]


async def test_a_firing_under_the_persons_other_id_restarts_too(embedded_shop: Shop) -> None:
    embedded_shop.rule("lingers", f"{LATER}restart: true\n")
    embedded_shop.happens("hover", "phone")
    await embedded_shop.passes(10)
    embedded_shop.happens("identify", "phone", user="u1")
    embedded_shop.happens("hover", "phone", user="u1")
    await embedded_shop.passes(10)
    await embedded_shop.passes(300)
    assert embedded_shop.sent() == ["u1"]


async def test_a_worker_that_was_down_catches_up_in_order_within_the_time_to_live(embedded_shop: Shop) -> None:
    shop = embedded_shop
    shop.write("templates/hook.webhook.json", "{}")
    shop.rule(
        "lingers",
        """
when: hover
ttl: 45m
send:
  - banner: hello
  - webhook: hook
    after: 20m
  - banner: hello
    after: 30m
    if: delivered(webhook)
""",
    )
    shop.happens("hover")
    await shop.passes()
    shop.now_ms += 3_600_000
    await shop.starts()
    await shop.passes()
    await shop.passes()
    # The second banner asks what became of the webhook, so it is the later one.
    assert (shop.sent(), shop.sent("webhook")) == (["anna", "anna"], ["anna"])
    shop.now_ms += 3_600_000
    shop.happens("hover", "bob", ago_ms=2_400_000)
    shop.happens("hover", "late", ago_ms=3_600_000)
    await shop.passes()
    assert [visitor for visitor in shop.sent() if visitor != "anna"] == ["bob"]
    assert stopped(shop) == {"banner": "expired"}


async def test_messages_asked_for_before_somebody_is_recognised_move_to_the_person_and_are_not_doubled(
    embedded_shop: Shop,
) -> None:
    embedded_shop.rule("lingers", LATER.replace("every: 0s", "every: 1h").replace("banner: hello", "email: reminder"))
    embedded_shop.happens("hover", "phone")
    await embedded_shop.passes(1)
    embedded_shop.happens("identify", "phone", user="u1", traits={"email": "anna@example.com"})
    embedded_shop.happens("hover", "phone", user="u1")
    await embedded_shop.passes(1)
    await embedded_shop.starts()
    await embedded_shop.passes(300)
    assert [fired for fired, *_ in embedded_shop.fires()] == ["lingers"]
    (mail,) = embedded_shop.channels["email"].sent
    assert mail.recipients == ("anna@example.com",)


async def test_a_changed_rule_leaves_the_messages_of_the_earlier_version_theirs_across_a_restart(
    embedded_shop: Shop,
) -> None:
    embedded_shop.rule(
        "lingers", LATER.replace("hover", "hover[duration >= 1s]") + "    unless: count(purchase, 1h) > 0\n"
    )
    for visitor in ("anna", "bob"):
        embedded_shop.happens("hover", visitor, duration_ms=1000)
    await embedded_shop.passes(1)
    embedded_shop.rule("lingers", "when: scroll\nevery: 0s\nsend:\n  - email: reminder\n")
    await embedded_shop.passes(1)
    await embedded_shop.starts()
    embedded_shop.happens("purchase", "bob")
    await embedded_shop.passes(300)
    assert embedded_shop.sent() == ["anna"]
    assert stopped(embedded_shop) == {"banner": "condition"}
    versions = embedded_shop.rows("SELECT version, any(source) FROM rule_versions GROUP BY version ORDER BY version")
    assert len(versions) == 2
    assert {version for (version,) in embedded_shop.rows("SELECT version FROM fires")} < {name for name, _ in versions}


async def test_each_version_is_stored_once_with_the_time_it_was_first_seen(embedded_shop: Shop) -> None:
    embedded_shop.rule("lingers", LATER)
    await embedded_shop.passes()
    for text in (f"# a comment\n{LATER}", LATER):
        embedded_shop.rule("lingers", text)
        await embedded_shop.starts()
        await embedded_shop.passes(60)
    query = (
        "SELECT rule, any(source), count(), toUnixTimestamp64Milli(min(first_seen_at)) FROM rule_versions GROUP BY rule"
    )
    ((rule, source, count, seen_at),) = embedded_shop.rows(query)
    assert (rule, source, count) == ("lingers", f"id: lingers\n{LATER}", 1)
    assert seen_at == embedded_shop.now_ms - 120_000


async def test_a_removed_rules_messages_are_dropped_with_a_reason_of_their_own(embedded_shop: Shop) -> None:
    embedded_shop.rule("lingers", LATER)
    embedded_shop.happens("hover")
    await embedded_shop.passes(1)
    (embedded_shop.folder / "rules/lingers.yaml").unlink()
    await embedded_shop.passes(300)
    assert stopped(embedded_shop) == {"banner": "rule_removed"}


async def test_an_earlier_version_that_asks_about_a_segment_that_is_gone_counts_as_removed(embedded_shop: Shop) -> None:
    embedded_shop.write("audiences.yaml", "segments:\n  keen: count(hover, 1h) > 0\n")
    embedded_shop.rule("lingers", f'{LATER}    if: segment("keen")\n')
    embedded_shop.happens("hover")
    await embedded_shop.passes(1)
    embedded_shop.write("audiences.yaml", "segments:\n  other: count(hover, 1h) > 0\n")
    embedded_shop.rule("lingers", LATER)
    await embedded_shop.passes(300)
    assert stopped(embedded_shop) == {"banner": "rule_removed"}


async def test_rules_see_what_was_sent_and_any_does_not(embedded_shop: Shop) -> None:
    embedded_shop.now_ms = time.time_ns() // 1_000_000  # ClickHouse stamps what the worker stores itself.
    await embedded_shop.starts()
    embedded_shop.write("templates/hook.webhook.json", '{"of": "{{ event.message_id }}"}')
    embedded_shop.rule("lingers", "when: hover\nsend:\n  - email: reminder\n")
    embedded_shop.rule(
        "unopened", 'when: message_sent[channel == "email"] -> no email_opened within 4m\nsend:\n  - webhook: hook\n'
    )
    embedded_shop.rule("anything", "when: any -> no any within 3m\nkey: event_id\n")
    embedded_shop.happens("identify", user="u1", traits={"email": "anna@example.com"})
    embedded_shop.happens("hover", user="u1")
    await embedded_shop.passes(1)
    await embedded_shop.passes(2)
    await embedded_shop.passes(236)
    assert embedded_shop.sent("webhook") == []
    await embedded_shop.passes(5)
    assert embedded_shop.sent("webhook") == ["u1"]
    assert [rule for rule, *_ in embedded_shop.fires()].count("unopened") == 1
    assert {rule for rule, *_ in embedded_shop.fires()} == {"lingers", "unopened"}


async def test_a_pause_fires_nothing_new_and_ends_nothing_that_was_begun(embedded_shop: Shop) -> None:
    embedded_shop.rule("lingers", LATER)
    embedded_shop.happens("hover")
    await embedded_shop.passes(1)
    embedded_shop.rule("lingers", f"{LATER}paused: true\n")
    await embedded_shop.passes(1)
    embedded_shop.happens("hover", "bob")
    await embedded_shop.passes(1)
    await embedded_shop.passes(300)
    assert embedded_shop.sent() == ["anna"]
    assert [visitor for _, visitor, *_ in embedded_shop.fires()] == ["anna"]
