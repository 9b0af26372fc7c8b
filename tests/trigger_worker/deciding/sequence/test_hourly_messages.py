"""The ceiling of messages an hour."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from tests.trigger_worker.stored import NOON, queued
from trigger_worker.deciding.sequence.hourly_messages import HOUR_MS, HourlyMessages
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.records import Records
from trigger_worker.store.sent import SentLately, read_sent_lately
from warehouse.connection import Warehouse

MINUTE_MS = 60_000


class Counted:
    """A ceiling of two messages an hour, and its figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.hourly = HourlyMessages({"shop": 2}, WorkerMetrics(self.registry))

    def figure(self, name: str, message_class: str = "marketing") -> float | None:
        return self.registry.get_sample_value(name, {"site": "shop", "class": message_class})


def test_beyond_the_ceiling_messages_wait_until_the_first_is_an_hour_old() -> None:
    counted = Counted()
    counted.hourly.add(queued("a", channel="email"), NOON)
    counted.hourly.add(queued("b", channel="sms"), NOON + MINUTE_MS)
    third = queued("c", channel="push")
    assert counted.hourly.room_at(third, NOON + 2 * MINUTE_MS) == NOON + HOUR_MS
    assert counted.hourly.room_at(third, NOON + HOUR_MS - 1) == NOON + HOUR_MS - 1 + MINUTE_MS
    assert counted.hourly.room_at(third, NOON + HOUR_MS) is None


def test_another_attempt_counts_as_the_same_message() -> None:
    counted = Counted()
    for _ in range(5):
        counted.hourly.add(queued("a", channel="email"), NOON)
    counted.hourly.add(queued("b", channel="email"), NOON)
    assert counted.hourly.room_at(queued("a", channel="email"), NOON) is None
    assert counted.hourly.room_at(queued("c", channel="email"), NOON) is not None


def test_banners_other_classes_and_sites_without_a_ceiling_are_apart() -> None:
    counted = Counted()
    for name in ("a", "b"):
        counted.hourly.add(queued(name, channel="email"), NOON)
    others = (
        queued("c", channel="banner"),
        queued("c", channel="email", message_class="transactional"),
        queued("c", channel="email", site="other"),
    )
    assert [counted.hourly.room_at(other, NOON) for other in others] == [None, None, None]


def test_an_alarm_stands_while_messages_wait_and_ends_when_there_is_room() -> None:
    counted = Counted()
    for name in ("a", "b"):
        counted.hourly.add(queued(name, channel="email"), NOON)
    counted.hourly.show(NOON)
    assert counted.figure("micromoment_hourly_messages") == 2
    assert counted.figure("micromoment_hourly_ceiling_reached") == 0
    counted.hourly.room_at(queued("c", channel="email"), NOON)
    assert counted.figure("micromoment_hourly_ceiling_reached") == 1
    counted.hourly.show(NOON + HOUR_MS)
    assert counted.figure("micromoment_hourly_messages") == 0
    assert counted.figure("micromoment_hourly_ceiling_reached") == 0


def test_a_worker_that_starts_counts_what_was_sent_within_the_hour(warehouse: Warehouse) -> None:
    records = [
        MessageRecord(queued(name, channel=channel), "sent", at)
        for name, channel, at in (
            ("old", "email", NOON - HOUR_MS),
            ("late", "sms", NOON - 1),
            ("early", "email", NOON - 2),
            ("shown", "banner", NOON - 1),
        )
    ]
    Records(warehouse).store_messages([*records, MessageRecord(queued("waits", channel="email"), "pending", NOON)])
    read = read_sent_lately(warehouse, ("email", "sms"), NOON - HOUR_MS)
    assert read == [
        SentLately("shop", "marketing", "early", NOON - 2),
        SentLately("shop", "marketing", "late", NOON - 1),
    ]
    counted = Counted()
    counted.hourly.load(read)
    assert counted.hourly.room_at(queued("next", channel="email"), NOON) == NOON - 2 + HOUR_MS
