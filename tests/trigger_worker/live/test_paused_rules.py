"""A paused rule fires for nobody; what it started goes on."""

from __future__ import annotations

from tests.trigger_worker.shop import Shop

LATER = "when: hover\nevery: 0s\nsend:\n  - banner: hello\n    after: 60s\n"
ABANDONED = "when: add_to_cart -> no purchase within 60s\nevery: 0s\n"


async def test_a_paused_rule_does_not_fire_and_its_waiting_messages_are_sent(shop: Shop) -> None:
    shop.rule("lingers", LATER)
    shop.happens("hover")
    await shop.passes(1)
    shop.rule("lingers", f"{LATER}paused: true\n")
    shop.happens("hover", "bob")
    await shop.passes(1)
    await shop.passes(60)
    assert [visitor for _, visitor, *_ in shop.fires()] == ["anna"]
    assert shop.sent() == ["anna"]


async def test_what_happened_during_a_pause_is_not_answered_after_it(shop: Shop) -> None:
    shop.rule("lingers", f"{LATER}paused: true\n")
    shop.happens("hover")
    await shop.passes(10)
    shop.rule("lingers", LATER)
    await shop.passes(1)
    shop.happens("hover", "bob")
    await shop.passes(1)
    assert [visitor for _, visitor, *_ in shop.fires()] == ["bob"]


async def test_a_wait_that_ends_in_a_pause_ends_without_a_firing(shop: Shop) -> None:
    shop.rule("abandoned", ABANDONED)
    shop.happens("add_to_cart")
    await shop.passes(1)
    shop.rule("abandoned", f"{ABANDONED}paused: true\n")
    await shop.passes(60)
    shop.rule("abandoned", ABANDONED)
    await shop.passes(60)
    assert shop.fires() == []
