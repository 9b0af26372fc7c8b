"""Verdicts on messages that are due."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, event_row, queued, store
from trigger_worker.deciding.decider import Decided, Decider
from trigger_worker.deciding.experiment.placement import Posteriors
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.policy_file import read_policy
from trigger_worker.deciding.recipient.addressing import Addressing
from trigger_worker.deciding.recipient.profile import PROFILE_WANTED
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.deciding.rule_verdicts import rule_verdict_needs
from trigger_worker.deciding.sequence.hourly_messages import HourlyMessages
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.address_book import AddressBook
from trigger_worker.people.reading import Scope, read_people
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.store.message import MessageRecord, QueuedMessage
from trigger_worker.store.records import Records
from trigger_worker.store.windows import combine
from warehouse.address_ledger import AddressKeys
from warehouse.connection import Warehouse

NO_ADDRESSES = Addressing(AddressKeys(b"secret"), AddressBook())
ONE_EMAIL = read_policy("caps: [{channel: email, max: 1, per: 1d}]")
LINGERS: CompiledRule = LiveRules([rule("id: lingers\nwhen: hover\nsend: [{banner: hello}]")]).by_id["lingers"]
CURRENT = LINGERS.rule.version
RULES = {("lingers", CURRENT): LINGERS}


def no_ceilings() -> HourlyMessages:
    return HourlyMessages({}, WorkerMetrics(CollectorRegistry()))


def due(message_id: str = "message-1", **changes: Any) -> QueuedMessage:
    return queued(message_id, **{"version": CURRENT, **changes})


def judged(
    warehouse: Warehouse,
    *messages: QueuedMessage,
    policy: Policy | None = None,
    under_way: tuple[QueuedMessage, ...] = (),
) -> list[Decided]:
    visitors = {message.visitor for message in messages}
    scope = Scope(combine([PROFILE_WANTED, rule_verdict_needs(messages, RULES, NOON)]))
    people = read_people(warehouse, visitors, scope, NOON, NOON)
    decider = Decider(
        Recipients({"webhook": "https://hook.example"}), NO_ADDRESSES, no_ceilings(), Posteriors(warehouse)
    )
    return decider.decide(messages, people, RULES, policy or Policy(), NOON, under_way)


def reasons(decided: list[Decided]) -> list[str]:
    return [str(one.verdict.reason) for one in decided]


def knows_address(warehouse: Warehouse, visitor: str = "anna") -> None:
    store(warehouse, event_row("identify", visitor, traits={"email": f"{visitor}@example.com"}))


@pytest.mark.parametrize(
    ("channel", "expected"),
    [("banner", ("anna",)), ("email", ("anna@example.com",)), ("webhook", ("https://hook.example",)), ("sms", ())],
)
def test_each_channel_has_its_own_recipients(warehouse: Warehouse, channel: str, expected: tuple[str, ...]) -> None:
    knows_address(warehouse)
    (one,) = judged(warehouse, due(channel=channel))
    assert one.recipients == expected
    assert reasons([one]) == ["passed" if expected else "no_address"]


def test_a_message_of_a_rule_that_is_gone_is_dropped(embedded_warehouse: Warehouse) -> None:
    assert reasons(judged(embedded_warehouse, due(), due("other", rule="removed"))) == ["passed", "rule_removed"]


def test_each_message_counts_for_those_that_follow(warehouse: Warehouse) -> None:
    knows_address(warehouse)
    knows_address(warehouse, "bob")
    messages = [due("a", channel="email"), due("b", channel="email"), due("c", channel="email", visitor_id="bob")]
    assert reasons(judged(warehouse, *messages, policy=ONE_EMAIL)) == ["passed", "cap", "passed"]


def test_what_is_being_handed_over_counts_once_whether_it_is_stored_yet_or_not(warehouse: Warehouse) -> None:
    knows_address(warehouse)
    two = read_policy("caps: [{channel: email, max: 2, per: 1d}]")
    underway, message = due("underway", channel="email"), due(channel="email")
    assert reasons(judged(warehouse, message, policy=ONE_EMAIL, under_way=(underway,))) == ["cap"]
    Records(warehouse).store_messages([MessageRecord(underway, "sent", NOON - 1)])
    assert reasons(judged(warehouse, message, policy=two, under_way=(underway,))) == ["passed"]
    elsewhere = due("elsewhere", channel="email", site="other")
    assert reasons(judged(warehouse, message, policy=two, under_way=(underway, elsewhere))) == ["passed"]


def test_what_a_visitor_was_sent_before_they_were_recognised_counts(warehouse: Warehouse) -> None:
    knows_address(warehouse, "phone")
    Records(warehouse).store_messages(
        [MessageRecord(due("earlier", channel="email", visitor_id="phone"), "sent", NOON - 1)]
    )
    store(warehouse, event_row("identify", "phone", user="u1"))
    assert reasons(judged(warehouse, due(channel="email", visitor_id="u1"), policy=ONE_EMAIL)) == ["cap"]


def test_two_sites_count_apart(warehouse: Warehouse) -> None:
    knows_address(warehouse)
    Records(warehouse).store_messages([MessageRecord(due("there", channel="email", site="other"), "sent", NOON - 1)])
    assert reasons(judged(warehouse, due(channel="email"), policy=ONE_EMAIL)) == ["passed"]


@pytest.mark.parametrize(
    ("event", "fields", "channel", "expected"),
    [
        ("consent", {"marketing": False}, "banner", "no_consent"),
        ("consent", {"channels": {"banner": False}}, "banner", "no_consent"),
        ("consent", {"channels": {"email": False}}, "banner", "passed"),
        ("unsubscribed", {}, "email", "unsubscribed"),
        ("unsubscribed", {}, "banner", "passed"),
    ],
)
def test_what_a_visitor_said_no_to_is_not_sent(
    embedded_warehouse: Warehouse, event: str, fields: dict[str, Any], channel: str, expected: str
) -> None:
    knows_address(embedded_warehouse)
    store(embedded_warehouse, event_row(event, **fields))
    assert reasons(judged(embedded_warehouse, due(channel=channel))) == [expected]


def test_nothing_due_is_nothing_decided(embedded_warehouse: Warehouse) -> None:
    assert judged(embedded_warehouse) == []
