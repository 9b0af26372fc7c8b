"""Carrying out verdicts: what is stored before and after each attempt, and what trouble changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from tests.trigger_worker.recording_channel import RecordingChannel
from tests.trigger_worker.stored import NOON, fire, person, queued, visitor
from tests.trigger_worker.storing_log import StoringLog
from tests.waiting import until
from trigger_worker.deciding.decider import Decided
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.permission import Consent, Permission
from trigger_worker.deciding.recipient.profile import Profile, VisitorContext
from trigger_worker.deciding.recipient.shopping import CartContext
from trigger_worker.deciding.sequence.outbox import Outbox
from trigger_worker.delivery import ledger as ledger_module
from trigger_worker.delivery.attempts import MAX_CONCURRENT, retry_wait_ms
from trigger_worker.delivery.channels.base import Channel, DeliveryPostponed, DeliveryUncertain, OutboundMessage
from trigger_worker.delivery.content.engine import FactRequest, MissingFacts
from trigger_worker.delivery.content.foreign_text import FactCleaner
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.delivery.ledger import Ledger
from trigger_worker.delivery.renderer import Renderer
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.address_book import AddressBook
from trigger_worker.people.memory import People
from trigger_worker.people.state import PersonState
from trigger_worker.store.decisions import Reason
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Person
from trigger_worker.store.queue import read_queue
from warehouse.connection import Row, Warehouse
from warehouse.errors import DeliveryError, DeliveryUnavailable, JournalError
from warehouse.event import EventRow

SEND = Verdict("send", Reason.PASSED)
PROFILE = Profile(VisitorContext(id="anna"), Permission(Consent(), frozenset(), {}), CartContext(), {})


class HangingChannel:
    """Takes a message when it is let go."""

    name = "email"

    def __init__(self) -> None:
        self.free = asyncio.Event()

    async def send(self, message: OutboundMessage) -> None:
        await self.free.wait()


class Facts:
    """Facts that have to be read before a template can have them: `slow()`."""

    def __init__(self) -> None:
        self.is_read = False

    def names(self, rule: str, person: Person, profile: Profile, now_ms: int) -> dict[str, Any]:
        return {"slow": self._slow}

    def read(self, missing: Sequence[MissingFacts], now_ms: int) -> None:
        self.is_read = True

    def outdated(self, now_ms: int) -> list[MissingFacts]:
        return []

    def _slow(self) -> str:
        if not self.is_read:
            raise MissingFacts(FactRequest())
        return "read"


class Desk:
    """A dispatcher with templates, channels and a clock of the test's."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self.now_ms = NOON
        self.may_send: Iterator[bool] = repeat(object=True)
        self.outbox, self.metrics = Outbox(), WorkerMetrics(CollectorRegistry())
        self.log, self.people, self.facts = StoringLog(warehouse), People(), Facts()
        self.told: list[EventRow] = []
        self.banner = RecordingChannel("banner")
        self.email = RecordingChannel("email")
        self.dispatcher = self.with_channels({"banner": self.banner, "email": self.email})
        self.write("hello.banner.yaml", "form: bar\ntitle: Hello\n")
        self.write("hello.email.html", "---\nsubject: Hello\n---\n<p>Hello</p>\n")

    def with_channels(self, channels: Mapping[str, Channel]) -> Dispatcher:
        ledger = Ledger(
            self.log, self.people, AddressBook(), lambda events, _: self.told.extend(events), lambda: self.now_ms
        )
        renderer = Renderer(TemplateFolder(self.folder), {}, FactCleaner({}), self.facts)
        self.dispatcher = Dispatcher(
            ledger,
            self.outbox,
            renderer,
            channels,
            self.metrics,
            lambda: self.now_ms,
            lambda: next(self.may_send),
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
