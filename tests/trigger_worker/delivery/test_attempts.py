"""Attempts to hand a message over: what each leads to, and whom none keeps waiting."""

from __future__ import annotations

import asyncio
from itertools import repeat
from typing import Any

import pytest

from tests.trigger_worker.delivery.dispatch_desk import Desk, HangingChannel, decided, email
from tests.trigger_worker.recording_channel import RecordingChannel
from tests.trigger_worker.stored import NOON, queued
from tests.waiting import until
from trigger_worker.delivery import ledger as ledger_module
from trigger_worker.delivery.attempts import MAX_CONCURRENT, retry_wait_ms
from trigger_worker.delivery.channels.base import DeliveryPostponed, DeliveryUncertain, OutboundMessage
from trigger_worker.store.queue import read_queue
from warehouse.errors import DeliveryError, DeliveryUnavailable


async def test_an_email_is_stored_as_tried_and_then_as_sent(desk: Desk) -> None:
    await desk.carry_out(decided(email()))
    assert desk.states() == ["pending", "sent"]
    assert desk.details("sent") == '{"attempts":1}'
    assert '"attempts":1' in desk.details("pending")
    assert desk.rows("SELECT verdict, reason FROM decisions") == [("send", "passed")]
    assert len(desk.outbox) == 0


@pytest.mark.parametrize(
    ("attempts", "retry_after_s", "expected_s"),
    [
        (1, None, 5),
        (2, None, 10),
        (3, None, 20),
        (7, None, 320),
        (8, None, 600),
        (500, None, 600),
        (1, 2.0, 5),
        (1, 30.5, 30.5),
        (8, 900.0, 900),
    ],
)
def test_the_wait_doubles_up_to_ten_minutes_or_is_as_long_as_the_peer_asked(
    attempts: int, retry_after_s: float | None, expected_s: float
) -> None:
    error = DeliveryPostponed("busy", retry_after_s=retry_after_s)
    assert retry_wait_ms(attempts, error) == expected_s * 1000
    if retry_after_s is None:
        assert retry_wait_ms(attempts, DeliveryUnavailable("away")) == expected_s * 1000


async def test_what_a_peer_cannot_take_now_is_tried_again_and_survives_a_restart(desk: Desk) -> None:
    desk.with_channels({"email": RecordingChannel("email", [DeliveryUnavailable("away")])})
    await desk.carry_out(decided(email(attempts=2)))
    assert desk.outbox.next_due == NOON + 20_000
    (again,) = desk.outbox.take_due(NOON + 20_000)
    assert again.attempts == 3
    assert read_queue(desk.warehouse) == [again]
    await desk.carry_out(decided(again))
    assert desk.details("sent") == '{"attempts":4}'


async def test_a_peer_that_says_when_is_left_alone_until_then(desk: Desk) -> None:
    desk.with_channels({"email": RecordingChannel("email", [DeliveryPostponed("busy", retry_after_s=90.0)])})
    await desk.carry_out(decided(email()))
    assert desk.outbox.next_due == NOON + 90_000


async def test_what_would_be_tried_again_after_its_expiry_has_failed(desk: Desk) -> None:
    desk.with_channels({"email": RecordingChannel("email", [DeliveryUnavailable("away")])})
    await desk.carry_out(decided(email(expires_at=NOON + 5_000)))
    assert desk.states() == ["pending", "failed"]
    assert '"reason":"unreachable","error":"away"' in desk.details("failed")
    assert len(desk.outbox) == 0


async def test_what_a_peer_will_never_take_has_failed(desk: Desk) -> None:
    desk.with_channels({"email": RecordingChannel("email", [DeliveryError("no such mailbox")])})
    await desk.carry_out(decided(email()))
    assert '"error":"no such mailbox"' in desk.details("failed")
    assert len(desk.outbox) == 0
    assert read_queue(desk.warehouse) == []


async def test_a_channel_that_is_not_configured_fails_the_message(desk: Desk) -> None:
    desk.with_channels({})
    await desk.carry_out(decided(email()))
    assert "the channel email is not configured" in desk.details("failed")


async def test_when_the_bus_is_away_a_banner_counts_as_sent_because_pages_ask_for_it(desk: Desk) -> None:
    desk.with_channels({"banner": RecordingChannel("banner", [DeliveryUnavailable("the bus is away")])})
    await desk.carry_out(decided(queued()))
    assert desk.states() == ["sent"]
    assert len(desk.outbox) == 0


async def test_banners_do_not_wait_for_a_mail_server_that_hangs(desk: Desk) -> None:
    hanging = HangingChannel()
    desk.with_channels({"banner": desk.banner, "email": hanging})
    emails = [decided(email(f"email-{number}")) for number in range(20)]
    await desk.dispatcher.dispatch([*emails, decided(queued("banner-1"))])
    assert [message.message_id for message in desk.banner.sent] == ["banner-1"]
    await desk.dispatcher.dispatch([decided(queued("banner-2"))])
    assert [message.message_id for message in desk.banner.sent] == ["banner-1", "banner-2"]
    hanging.free.set()
    await desk.dispatcher.settle(10)


async def test_what_is_being_handed_over_is_known(desk: Desk) -> None:
    hanging = HangingChannel()
    desk.with_channels({"email": hanging})
    await desk.dispatcher.dispatch([decided(email())])
    assert [message.message_id for message in desk.dispatcher.under_way()] == ["message-1"]
    hanging.free.set()
    await desk.dispatcher.settle(10)
    assert desk.dispatcher.under_way() == []
    assert desk.states() == ["pending", "sent"]


async def test_settling_does_not_wait_for_ever(desk: Desk) -> None:
    hanging = HangingChannel()
    desk.with_channels({"email": hanging})
    await desk.dispatcher.dispatch([decided(email())])
    await until(lambda: desk.states() == ["pending"])
    await desk.dispatcher.settle(0.01)
    assert len(desk.dispatcher.under_way()) == 1
    hanging.free.set()
    await desk.dispatcher.settle(10)


async def test_an_attempt_that_cannot_be_recorded_is_not_made_and_comes_later(desk: Desk) -> None:
    desk.log.fails = {1}
    await desk.carry_out(decided(email()))
    assert (desk.email.sent, desk.states(), desk.dispatcher.under_way()) == ([], [], [])
    (again,) = desk.outbox.take_due(NOON + 5_000)
    assert (again.due_at, again.attempts, again.is_tried) == (NOON + 5_000, 0, False)
    await desk.carry_out(decided(again))
    assert len(desk.email.sent) == 1
    assert desk.states() == ["pending", "sent"]


async def test_an_outcome_that_cannot_be_recorded_waits_for_the_disk_and_nothing_is_sent_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "RETRY_SECONDS", 0.001)
    desk.log.fails = {2, 3, 4}
    await desk.carry_out(decided(email()))
    assert len(desk.email.sent) == 1
    assert desk.states() == ["pending", "sent"]
    assert len(desk.rows("SELECT * FROM decisions")) == 1
    assert [event.event for event in desk.told] == ["message_sent"]


async def test_one_message_whose_attempt_cannot_be_recorded_stops_no_other(desk: Desk) -> None:
    # The verdicts on all come first, then the attempts of one after another.
    desk.log.fails = {2}
    await desk.carry_out(*(decided(email(name)) for name in ("a", "b", "c")))
    assert len(desk.email.sent) == 2
    (put_off,) = desk.outbox.take_due(NOON + 5_000)
    await desk.carry_out(decided(put_off))
    assert sorted(message.message_id for message in desk.email.sent) == ["a", "b", "c"]
    assert [desk.states(name) for name in ("a", "b", "c")] == [["pending", "sent"]] * 3


@pytest.mark.parametrize(
    ("message_class", "channel", "states"),
    [
        ("marketing", "email", ["pending", "failed"]),
        ("transactional", "email", ["pending", "pending"]),
        ("marketing", "webhook", ["pending", "pending"]),
    ],
)
async def test_a_handing_over_without_an_answer_is_repeated_where_the_class_or_the_peer_allows_it(
    desk: Desk, message_class: Any, channel: str, states: list[str]
) -> None:
    desk.write("hello.webhook.json", "{}")
    desk.with_channels({channel: RecordingChannel(channel, [DeliveryUncertain("the connection broke")])})
    await desk.carry_out(decided(queued(channel=channel, message_class=message_class)))
    assert desk.states() == states
    assert (len(desk.outbox) == 0) is ("failed" in states)
    if "failed" in states:
        assert '"reason":"unknown_outcome"' in desk.details("failed")


async def test_a_channel_that_breaks_leaves_its_message_in_doubt_and_nobody_elses(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = desk.email.send

    async def breaking(message: OutboundMessage) -> None:
        if message.message_id == "broken":
            raise KeyError("no such header")
        await send(message)

    monkeypatch.setattr(desk.email, "send", breaking)
    await desk.carry_out(decided(email("broken")), decided(email("good")))
    assert [desk.states(name) for name in ("broken", "good")] == [["pending", "failed"], ["pending", "sent"]]
    assert '"reason":"unknown_outcome"' in desk.details("failed")


async def test_what_an_earlier_process_left_in_doubt_is_given_up_with_the_reason(desk: Desk) -> None:
    await desk.dispatcher.take_over([email(attempts=1, is_tried=True)], [])
    assert desk.states() == ["failed"]
    assert '"reason":"unknown_outcome"' in desk.details("failed")


async def test_an_attempt_is_marked_until_its_outcome_is_known(desk: Desk) -> None:
    hanging = HangingChannel()
    desk.with_channels({"email": hanging})
    await desk.dispatcher.dispatch([decided(email())])
    await until(lambda: bool(desk.states()))
    (begun,) = read_queue(desk.warehouse)
    assert (begun.is_tried, begun.attempts) == (True, 1)
    hanging.free.set()
    await desk.dispatcher.settle(10)


async def test_rows_of_a_message_follow_each_other_though_the_clock_stands_still_or_goes_back(desk: Desk) -> None:
    desk.with_channels({"email": RecordingChannel("email", [DeliveryUnavailable("away")])})
    desk.now_ms = NOON - 60_000
    await desk.carry_out(decided(email()))
    (again,) = read_queue(desk.warehouse)
    assert (again.is_tried, again.recorded_at) == (False, NOON + 2)


async def test_other_channels_do_not_wait_for_a_mail_server_that_hangs(desk: Desk) -> None:
    hanging, webhook = HangingChannel(), RecordingChannel("webhook")
    desk.write("hello.webhook.json", "{}")
    desk.with_channels({"email": hanging, "webhook": webhook})
    emails = [decided(email(f"email-{number}")) for number in range(MAX_CONCURRENT + 1)]
    await desk.dispatcher.dispatch([*emails, decided(queued("hook", channel="webhook"))])
    await until(lambda: bool(webhook.sent))
    hanging.free.set()
    await desk.dispatcher.settle(10)


async def test_a_worker_that_stops_ends_what_it_began_and_begins_nothing_more(desk: Desk) -> None:
    hanging = HangingChannel()
    desk.with_channels({"email": hanging})
    await desk.dispatcher.dispatch([decided(email(f"email-{number}")) for number in range(MAX_CONCURRENT + 5)])
    begun = "SELECT count() FROM messages WHERE state = 'pending'"
    await until(lambda: desk.rows(begun) == [(MAX_CONCURRENT,)])
    stopping = asyncio.create_task(desk.dispatcher.stop(10))
    await asyncio.sleep(0)
    hanging.free.set()
    await stopping
    assert desk.rows("SELECT uniqExact(message_id) FROM messages WHERE state = 'sent'") == [(MAX_CONCURRENT,)]
    assert read_queue(desk.warehouse) == []


async def test_a_worker_that_may_not_send_any_more_leaves_messages_as_they_are(desk: Desk) -> None:
    desk.may_send = repeat(object=False)
    await desk.carry_out(decided(email()), decided(queued("message-2")))
    assert not desk.email.sent
    assert not desk.banner.sent
    assert desk.states() == []
    assert not len(desk.outbox)


async def test_a_right_to_send_that_ends_while_the_attempt_is_stored_leaves_the_message_in_doubt(desk: Desk) -> None:
    desk.may_send = iter([True, False])
    await desk.carry_out(decided(email()))
    assert not desk.email.sent
    assert desk.states() == ["pending"]
