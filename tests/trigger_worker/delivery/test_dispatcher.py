"""Carrying out verdicts: what is stored before and after each attempt, and what trouble changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from tests.trigger_worker.recording_channel import RecordingChannel
from tests.trigger_worker.stored import NOON, person, queued
from tests.waiting import until
from trigger_worker.deciding.decider import Decided
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.permission import Consent, Permission
from trigger_worker.deciding.recipient.profile import Profile, VisitorContext
from trigger_worker.deciding.recipient.shopping import CartContext
from trigger_worker.deciding.sequence.outbox import Outbox
from trigger_worker.delivery.attempts import MAX_CONCURRENT, retry_wait_ms
from trigger_worker.delivery.channels.base import Channel, DeliveryPostponed, DeliveryUncertain, OutboundMessage
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.delivery.renderer import Renderer
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.store.decisions import Reason
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.queue import read_queue
from trigger_worker.store.records import Records
from warehouse.connection import Row, Warehouse
from warehouse.errors import DeliveryError, DeliveryUnavailable, WarehouseError, WarehouseUnavailable

SEND = Verdict("send", Reason.PASSED)
PROFILE = Profile(VisitorContext(id="anna"), Permission(Consent(), frozenset(), {}), CartContext(), {})


class HangingChannel:
    """Takes a message when it is let go."""

    name = "email"

    def __init__(self) -> None:
        self.free = asyncio.Event()

    async def send(self, message: OutboundMessage) -> None:
        await self.free.wait()


class Desk:
    """A dispatcher with templates, channels and a clock of the test's."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self.now_ms = NOON
        self.may_send: Iterator[bool] = repeat(object=True)
        self.outbox, self.metrics = Outbox(), WorkerMetrics(CollectorRegistry())
        self.banner = RecordingChannel("banner")
        self.email = RecordingChannel("email")
        self.dispatcher = self.with_channels({"banner": self.banner, "email": self.email})
        self.write("hello.banner.yaml", "form: bar\ntitle: Hello\n")
        self.write("hello.email.html", "---\nsubject: Hello\n---\n<p>Hello</p>\n")

    def with_channels(self, channels: Mapping[str, Channel]) -> Dispatcher:
        self.dispatcher = Dispatcher(
            records=Records(self.warehouse),
            outbox=self.outbox,
            renderer=Renderer(TemplateFolder(self.folder), {}),
            channels=channels,
            metrics=self.metrics,
            now_ms=lambda: self.now_ms,
            may_send=lambda: next(self.may_send),
        )
        return self.dispatcher

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    async def carry_out(self, *decided: Decided) -> None:
        await self.dispatcher.dispatch(decided)
        await self.dispatcher.settle(10)

    def states(self, message_id: str = "message-1") -> list[str]:
        rows = self.rows(f"SELECT state FROM messages WHERE message_id = '{message_id}' ORDER BY at, state")
        return [state for (state,) in rows]

    def details(self, state: str) -> str:
        ((detail,),) = self.rows(f"SELECT detail FROM messages WHERE state = '{state}'")
        return str(detail)

    def rows(self, sql: str) -> list[Row]:
        return list(self.warehouse.query(sql))


@pytest.fixture
def desk(embedded_warehouse: Warehouse, tmp_path: Path) -> Desk:
    return Desk(embedded_warehouse, tmp_path)


def decided(message: QueuedMessage, verdict: Verdict = SEND) -> Decided:
    return Decided(message, verdict, "", person("anna"), PROFILE, ("anna@example.com",))


def email(message_id: str = "message-1", **changes: Any) -> QueuedMessage:
    return queued(message_id, channel="email", **changes)


async def test_a_banner_is_stored_with_its_content_and_published(desk: Desk) -> None:
    await desk.carry_out(decided(queued()))
    assert desk.states() == ["sent"]
    ((recipients, content),) = desk.rows("SELECT recipients, content FROM messages")
    assert recipients == ["anna@example.com"]
    assert '"title":"Hello"' in content
    assert [message.message_id for message in desk.banner.sent] == ["message-1"]


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


@pytest.mark.parametrize("troubled", [0, 1, 2])
async def test_while_clickhouse_is_away_recording_is_tried_again_and_sending_is_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, troubled: int
) -> None:
    insert = desk.warehouse.insert_lines
    inserts = iter(range(100))

    def troubled_insert(table: str, lines: bytes, token: str) -> None:
        if next(inserts) == troubled:
            raise WarehouseUnavailable("away for a moment")
        insert(table, lines, token)

    monkeypatch.setattr(desk.warehouse, "insert_lines", troubled_insert)
    await desk.carry_out(decided(email()))
    assert len(desk.email.sent) == 1
    assert desk.states() == ["pending", "sent"]
    assert len(desk.rows("SELECT * FROM decisions")) == 1


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


@pytest.mark.parametrize("table", ["decisions", "messages"])
async def test_what_clickhouse_refuses_for_good_is_counted_and_stops_its_own_message_only(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    insert = desk.warehouse.insert_lines

    def refusing(into: str, lines: bytes, token: str) -> None:
        if into == table and b"poisoned" in lines:
            raise WarehouseError("cannot be parsed")
        insert(into, lines, token)

    monkeypatch.setattr(desk.warehouse, "insert_lines", refusing)
    names = ("good-1", "poisoned", "good-2")
    await desk.carry_out(*(decided(email(name)) for name in names))
    assert sorted(message.message_id for message in desk.email.sent) == ["good-1", "good-2"]
    assert [desk.states(name) for name in names] == [["pending", "sent"], [], ["pending", "sent"]]
    assert desk.metrics.registry.get_sample_value("micromoment_records_refused_total") == 1


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
