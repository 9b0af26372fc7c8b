"""Carrying out verdicts: what is stored, in which order, and what is told of it."""

from __future__ import annotations

import msgspec
import pytest

from tests.trigger_worker.delivery.dispatch_desk import Desk, decided, email
from tests.trigger_worker.recording_channel import RecordingChannel
from tests.trigger_worker.stored import NOON, fire, person, queued, visitor
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.people.state import PersonState
from trigger_worker.store.decisions import Reason
from trigger_worker.store.queue import read_queue
from warehouse.errors import DeliveryError, JournalError


async def test_a_banner_is_stored_with_its_content_and_published(desk: Desk) -> None:
    await desk.carry_out(decided(queued()))
    assert desk.states() == ["sent"]
    ((recipients, content),) = desk.rows("SELECT recipients, content FROM messages")
    assert recipients == ["anna@example.com"]
    assert '"title":"Hello"' in content
    assert [message.message_id for message in desk.banner.sent] == ["message-1"]


async def test_a_template_that_cannot_be_rendered_fails_its_message_and_no_other(desk: Desk) -> None:
    broken, missing, good = email("broken", template="broken"), email("missing", template="missing"), email("good")
    desk.write("broken.email.html", "---\nsubject: x\n---\n{{ visitor.id | no_such_filter }}")
    await desk.carry_out(decided(broken), decided(missing), decided(good))
    assert [desk.states(name) for name in ("broken", "missing", "good")] == [
        ["failed"],
        ["failed"],
        ["pending", "sent"],
    ]
    assert [message.message_id for message in desk.email.sent] == ["good"]


async def test_verdict_and_attempt_are_stored_before_anything_is_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    insert, send = desk.warehouse.insert_lines, desk.email.send

    def storing(table: str, lines: bytes, token: str) -> None:
        calls.append(table)
        insert(table, lines, token)

    async def sending(message: OutboundMessage) -> None:
        calls.append("send")
        await send(message)

    monkeypatch.setattr(desk.warehouse, "insert_lines", storing)
    monkeypatch.setattr(desk.email, "send", sending)
    await desk.carry_out(decided(email()))
    assert calls == ["decisions", "messages", "send", "messages", "events"]


async def test_verdicts_that_the_disk_refuses_send_nothing_and_can_be_carried_out_again(desk: Desk) -> None:
    desk.people.receive({visitor(): PersonState(person("anna"))})
    desk.log.fails = {0}
    both = [decided(queued("banner-1")), decided(email())]
    with pytest.raises(JournalError):
        await desk.dispatcher.dispatch(both, [fire()], [email(), queued("banner-1")])
    await desk.dispatcher.settle(10)
    assert (desk.banner.sent, desk.email.sent, desk.told) == ([], [], [])
    assert desk.rows("SELECT 1 FROM messages UNION ALL SELECT 1 FROM decisions UNION ALL SELECT 1 FROM fires") == []
    assert desk.people.find(visitor()) is None
    await desk.dispatcher.dispatch(both, [fire()], [email(), queued("banner-1")])
    await desk.dispatcher.settle(10)
    assert (len(desk.banner.sent), len(desk.email.sent)) == (1, 1)
    assert desk.rows("SELECT count() FROM fires") == [(1,)]
    assert sorted(event.message_id for event in desk.told) == ["banner-1", "message-1"]


async def test_firings_and_their_messages_are_stored_with_the_verdicts_on_them(desk: Desk) -> None:
    later = email("later", due_at=NOON + 60_000)
    await desk.dispatcher.dispatch([decided(queued())], [fire()], [queued(), later])
    assert desk.states() == ["pending", "sent"]
    assert desk.states("later") == ["pending"]
    assert desk.rows("SELECT fire_id FROM fires") == [("fire-1",)]
    assert desk.rows("SELECT verdict FROM decisions") == [("send",)]


async def test_a_message_whose_facts_are_read_first_is_pending_meanwhile_and_waits_again_when_the_disk_is_full(
    desk: Desk,
) -> None:
    desk.write("slow.banner.yaml", "form: bar\ntitle: '{{ slow() }}'\n")
    one, other = queued("slow", template="slow"), queued("fast")
    desk.log.fails = {1}
    await desk.dispatcher.dispatch([decided(one), decided(other)], [fire()], [one, other])
    assert [message.message_id for message in desk.banner.sent] == ["fast"]
    assert (desk.states("slow"), desk.states("fast")) == (["pending"], ["pending", "sent"])
    (again,) = desk.outbox.take_due(NOON)
    await desk.carry_out(decided(again))
    assert [message.message_id for message in desk.banner.sent] == ["fast", "slow"]
    assert desk.states("slow") == ["pending", "sent"]
    assert desk.rows("SELECT count() FROM decisions") == [(2,)]


async def test_a_message_that_is_dropped_is_cancelled_with_the_reason(desk: Desk) -> None:
    await desk.carry_out(decided(email(), Verdict("drop", Reason.CAP, {"max": 1})))
    assert desk.states() == ["cancelled"]
    assert desk.rows("SELECT verdict, reason, detail FROM decisions") == [("drop", "cap", '{"max":1}')]
    assert desk.email.sent == []


async def test_a_message_that_is_deferred_waits_in_the_outbox_and_in_clickhouse(desk: Desk) -> None:
    await desk.carry_out(decided(email(), Verdict("defer", Reason.QUIET_HOURS, {}, NOON + 60_000)))
    (waiting,) = desk.outbox.take_due(NOON + 60_000)
    assert (waiting.due_at, waiting.expires_at, waiting.attempts) == (NOON + 60_000, email().expires_at, 0)
    assert read_queue(desk.warehouse) == [waiting]


async def test_a_message_that_waits_for_its_time_of_day_lives_on_from_then(desk: Desk) -> None:
    await desk.carry_out(decided(email(), Verdict("defer", Reason.SCHEDULED, {}, NOON + 60_000)))
    (waiting,) = desk.outbox.take_due(NOON + 60_000)
    assert waiting.expires_at == email().expires_at + 60_000


async def test_every_verdict_is_counted(desk: Desk) -> None:
    await desk.carry_out(*(decided(queued(f"message-{number}")) for number in range(3)))
    assert (
        desk.metrics.registry.get_sample_value("micromoment_decisions_total", {"verdict": "send", "reason": "passed"})
        == 3
    )


EVENTS = "SELECT event, event_id, visitor_id, message_id, props FROM events ORDER BY event"


async def test_what_is_sent_and_what_fails_is_part_of_the_visitors_behaviour(desk: Desk) -> None:
    desk.with_channels({"banner": desk.banner, "email": RecordingChannel("email", [DeliveryError("no such box")])})
    await desk.carry_out(decided(queued("banner-1")), decided(email("email-1")))
    told = '{"rule":"lingers","channel":"%s"%s}'
    assert desk.rows(EVENTS) == [
        ("message_failed", "message_failed-email-1-0", "anna", "email-1", told % ("email", ',"reason":"refused"')),
        ("message_sent", "message_sent-banner-1-0", "anna", "banner-1", told % ("banner", "")),
    ]


async def test_the_arm_of_an_experiment_is_told(desk: Desk) -> None:
    one = msgspec.structs.replace(decided(email()), arm="coupon")
    await desk.carry_out(one)
    assert desk.details("sent") == '{"attempts":1,"variant":"coupon"}'
    assert '"variant":"coupon"' in desk.rows("SELECT props FROM events")[0][0]
