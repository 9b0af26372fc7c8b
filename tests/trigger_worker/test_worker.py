"""What the worker does with events, on both engines: firing, restraint, and nothing lost or repeated by trouble."""

from __future__ import annotations

import pytest

from tests.trigger_worker.shop import Shop
from trigger_worker.delivery.content.banner import BannerContent
from trigger_worker.delivery.content.email import EmailContent
from warehouse.errors import JournalError, WarehouseUnavailable

HOVER = "when: hover[duration >= 3s]\nevery: 0s\nsend:\n  - banner: hello\n"
ABANDONED = "when: add_to_cart -> no purchase within 60s\nevery: 0s\nsend:\n  - email: reminder\n"


async def test_an_event_that_matches_fires_once_and_sends_its_banner_to_the_visitors_browser(shop: Shop) -> None:
    shop.rule("lingers", HOVER)
    shop.happens("hover", duration_ms=3000, name="Tent")
    shop.happens("hover", "bob", duration_ms=2999)
    await shop.passes(0.1)
    await shop.passes(0.1)
    assert shop.fires() == [("lingers", "anna", "", 0)]
    (message,) = shop.channels["banner"].sent
    assert message.recipients == ("anna",)
    assert shop.decisions() == [("banner", "send", "passed")]
    assert shop.states() == {"pending", "sent"}


async def test_an_absence_fires_when_the_wait_is_over_and_nothing_came(shop: Shop) -> None:
    shop.rule("abandoned", ABANDONED)
    shop.happens("identify", user="u1", traits={"email": "anna@example.com"})
    shop.happens("add_to_cart", user="u1", product_id="p1", name="Tent", price=100.0, value=100.0)
    await shop.passes(59)
    assert shop.fires() == []
    await shop.passes(2)
    assert shop.fires() == [("abandoned", "u1", "", 60_000)]
    (mail,) = shop.channels["email"].sent
    assert mail.recipients == ("anna@example.com",)
    assert isinstance(mail.content, EmailContent)
    assert "<p>Tent</p>" in mail.content.html


async def test_an_absence_does_not_fire_when_the_event_came_in_time(shop: Shop) -> None:
    shop.rule("abandoned", ABANDONED)
    shop.happens("add_to_cart")
    await shop.passes(30)
    shop.happens("purchase")
    await shop.passes(31)
    assert shop.fires() == []


async def test_a_newer_completion_restarts_the_wait(shop: Shop) -> None:
    shop.rule("abandoned", ABANDONED)
    shop.happens("add_to_cart")
    await shop.passes(40)
    shop.happens("add_to_cart")
    await shop.passes(40)
    assert shop.fires() == []
    await shop.passes(21)
    assert shop.fires() == [("abandoned", "anna", "", 100_000)]


async def test_a_wait_that_ran_out_while_the_worker_was_down_is_caught_up(shop: Shop) -> None:
    shop.rule("abandoned", ABANDONED)
    shop.happens("add_to_cart")
    await shop.passes(1)
    shop.now_ms += 3_600_000
    await shop.starts()
    await shop.passes(0)
    assert shop.fires() == [("abandoned", "anna", "", 60_000)]


async def test_every_keeps_a_rule_from_firing_again_too_soon(shop: Shop) -> None:
    shop.rule("lingers", HOVER.replace("every: 0s", "every: 10s"))
    for _ in range(3):
        shop.happens("hover", duration_ms=3000)
        await shop.passes(6)
    assert [at for *_, at in shop.fires()] == [0, 12_000]


async def test_a_restart_sends_nothing_twice(shop: Shop) -> None:
    shop.rule("lingers", HOVER)
    shop.happens("hover", duration_ms=3000)
    await shop.passes(0.1)
    for _ in range(3):
        await shop.starts()
        await shop.passes(0.1)
    assert shop.sent() == ["anna"]
    assert len(shop.decisions()) == 1


async def test_a_row_that_becomes_visible_after_the_cursor_passed_its_stamp_is_found(shop: Shop) -> None:
    shop.rule("lingers", HOVER)
    await shop.passes(5)
    shop.happens("hover", ago_ms=300, duration_ms=3000, stored_at=shop.now_ms - 250)
    await shop.passes(0.1)
    assert len(shop.fires()) == 1


async def test_an_event_that_arrives_late_completes_a_sequence_whose_end_was_seen_before(shop: Shop) -> None:
    shop.rule("returns", "when: view_item -> add_to_cart within 2m\nevery: 0s\n")
    shop.happens("add_to_cart")
    await shop.passes(30)
    assert shop.fires() == []
    shop.happens("view_item", ago_ms=60_000)
    await shop.passes(0.1)
    assert shop.fires() == [("returns", "anna", "", 0)]


async def test_the_events_of_one_person_count_together_whatever_id_they_carry(shop: Shop) -> None:
    shop.rule("returns", "when: view_item -> add_to_cart within 2m\nevery: 0s\nsend:\n  - banner: hello\n")
    shop.happens("view_item", "phone")
    shop.happens("identify", "phone", user="u1")
    shop.happens("identify", "laptop", user="u1")
    await shop.passes(10)
    shop.happens("add_to_cart", "laptop", user="u1")
    await shop.passes(0.1)
    assert shop.fires() == [("returns", "u1", "", 10_000)]
    (message,) = shop.channels["banner"].sent
    assert set(message.recipients) == {"phone", "laptop"}


async def test_a_match_that_is_noticed_after_its_time_to_live_is_recorded_as_expired(shop: Shop) -> None:
    shop.rule("lingers", f"{HOVER}ttl: 1m\n")
    shop.happens("hover", ago_ms=120_000, duration_ms=3000)
    await shop.passes(0.1)
    assert shop.sent() == []
    assert shop.decisions() == [("banner", "drop", "expired")]
    assert shop.states() == {"pending", "cancelled"}


async def test_a_rule_is_live_as_soon_as_its_file_is_written_and_gone_as_soon_as_it_is_broken(shop: Shop) -> None:
    shop.rule("other", HOVER)
    shop.happens("hover", duration_ms=3000)
    await shop.passes(1)
    shop.rule("lingers", HOVER.replace("3s", "1s"))
    shop.happens("hover", duration_ms=1000)
    await shop.passes(1)
    shop.rule("lingers", "when: hover[")
    shop.happens("hover", duration_ms=3000)
    await shop.passes(1)
    assert [rule for rule, *_ in shop.fires()] == ["other", "lingers", "other"]


async def test_a_cap_stops_a_message_and_says_so(shop: Shop) -> None:
    shop.write("policy.yaml", "caps:\n  - {channel: banner, max: 1, per: 1h}\n")
    await shop.starts()
    shop.rule("lingers", HOVER)
    for _ in range(2):
        shop.happens("hover", duration_ms=3000)
        await shop.passes(1)
    assert shop.sent() == ["anna"]
    assert [(verdict, reason) for _, verdict, reason in shop.decisions()] == [("send", "passed"), ("drop", "cap")]


async def test_quiet_hours_put_a_message_off_until_they_end(shop: Shop) -> None:
    # It is noon in Berlin, eleven in UTC.
    shop.write("policy.yaml", "quiet: {banner: 10:00-14:00}\n")
    await shop.starts()
    shop.rule("lingers", HOVER)
    shop.happens("hover", duration_ms=3000, timezone="Europe/Berlin")
    await shop.passes(0.1)
    assert shop.decisions() == [("banner", "defer", "quiet_hours")]
    await shop.starts()
    await shop.passes(2 * 3600 + 60)
    assert shop.sent() == ["anna"]


async def test_a_reached_goal_ends_what_is_still_to_be_sent(shop: Shop) -> None:
    shop.rule("lingers", f"{HOVER}  - banner: hello\n    after: 10m\ngoal: purchase within 1d\n")
    shop.happens("hover", duration_ms=3000)
    await shop.passes(1)
    shop.happens("purchase")
    await shop.passes(700)
    assert [(verdict, reason) for _, verdict, reason in shop.decisions()] == [
        ("send", "passed"),
        ("drop", "goal_reached"),
    ]


async def test_a_later_message_asks_what_became_of_the_earlier_one(shop: Shop) -> None:
    shop.rule("lingers", f"{HOVER}  - webhook: hook\n    after: 10m\n    unless: clicked(banner)\n")
    shop.write("templates/hook.webhook.json", '{"visitor": "{{ visitor.id }}"}')
    for visitor in ("anna", "bob"):
        shop.happens("hover", visitor, duration_ms=3000)
    await shop.passes(1)
    banners = {message.visitor_id: message.message_id for message in shop.channels["banner"].sent}
    shop.happens("message_clicked", "bob", message_id=banners["bob"], channel="banner")
    await shop.passes(700)
    assert shop.sent("webhook") == ["anna"]
    assert ("webhook", "drop", "condition") in shop.decisions()


async def test_messages_that_wait_survive_a_restart(shop: Shop) -> None:
    shop.rule("lingers", HOVER.replace("banner: hello", "banner: hello\n    after: 5m"))
    shop.happens("hover", duration_ms=3000)
    await shop.passes(1)
    await shop.starts()
    await shop.passes(299)
    assert shop.sent() == ["anna"]


async def test_what_a_page_says_of_its_banner_moves_the_message_but_nobody_elses(shop: Shop) -> None:
    shop.rule("lingers", HOVER)
    shop.happens("hover", duration_ms=3000)
    await shop.passes(1)
    (message,) = shop.channels["banner"].sent
    shop.happens("message_clicked", "stranger", message_id=message.message_id)
    shop.happens("message_shown", message_id=message.message_id)
    await shop.passes(1)
    assert shop.states() == {"pending", "sent", "shown"}


@pytest.mark.parametrize("table", ["messages", "fires"])
async def test_trouble_while_storing_a_firing_neither_loses_nor_repeats_it(
    shop: Shop, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rule("lingers", HOVER)
    await shop.passes(0.1)
    insert = shop.warehouse.insert_lines
    troubles = [table]

    def failing(into: str, lines: bytes, token: str) -> None:
        if into in troubles:
            troubles.clear()
            raise WarehouseUnavailable("gone for a moment")
        insert(into, lines, token)

    monkeypatch.setattr(shop.warehouse, "insert_lines", failing)
    shop.happens("hover", duration_ms=3000)
    with pytest.raises(JournalError):
        await shop.passes(0.1)
    await shop.passes(0.1)
    assert shop.sent() == ["anna"]
    assert len(shop.fires()) == 1


async def test_a_message_with_a_time_of_day_waits_for_it_on_the_visitors_clock(shop: Shop) -> None:
    shop.rule("lingers", HOVER.replace("banner: hello", 'banner: hello\n    at: "18:30"'))
    shop.happens("hover", duration_ms=3000, timezone="Europe/Berlin")
    await shop.passes(1)
    assert shop.decisions() == [("banner", "defer", "scheduled")]
    await shop.passes(6.5 * 3600 - 10)
    assert shop.sent() == []
    await shop.passes(10)
    assert shop.sent() == ["anna"]


async def test_a_rule_holds_out_its_share_and_shows_each_visitor_one_arm(shop: Shop) -> None:
    shop.rule("lingers", f"{HOVER}experiment:\n  holdout: 30%\n  arms: {{plain: 50, coupon: 50}}\n")
    shop.write("templates/hello.banner.yaml", "form: bar\ntitle: '{{ rule.variant }}'\n")
    visitors = [f"visitor-{number}" for number in range(60)]
    for _ in range(2):
        for visitor in visitors:
            shop.happens("hover", visitor, duration_ms=3000)
        await shop.passes(60)
    held_out = {v for (v,) in shop.rows("SELECT DISTINCT visitor_id FROM decisions WHERE reason = 'holdout'")}
    assert 6 <= len(held_out) <= 30
    arms = {(message.visitor_id, message.variant) for message in shop.channels["banner"].sent}
    assert len(arms) == 60 - len(held_out)
    assert {arm for _, arm in arms} == {"plain", "coupon"}
    contents = [(message.content, message.variant) for message in shop.channels["banner"].sent]
    assert all(isinstance(content, BannerContent) and content.title == arm for content, arm in contents)
