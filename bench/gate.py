"""Benchmark of the decisions on 1,000 messages that are due at once, and of their rendering."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from bench.figures import percentile
from trigger_worker.deciding.decider import Decided, Decider
from trigger_worker.deciding.experiment.placement import Posteriors
from trigger_worker.deciding.gate.policy_file import load_policy
from trigger_worker.deciding.recipient.addressing import Addressing
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.deciding.sequence.hourly_messages import HourlyMessages
from trigger_worker.deciding.sequence.queueing import queue_messages
from trigger_worker.delivery.content.context import RenderContext, RuleContext, SiteContext
from trigger_worker.delivery.content.model import Content
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.loop import MAX_DECIDED
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.address_book import AddressBook
from trigger_worker.people.reading import read_people
from trigger_worker.people.source import MAX_TOGETHER
from trigger_worker.people.state import PersonState
from trigger_worker.rules import library
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.store.fires import Fire
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Visitor
from warehouse.address_ledger import AddressKeys
from warehouse.connection import Warehouse, connect
from warehouse.migrations import migrate

FIRINGS: Final = 1_000
EVENTS_PER_VISITOR: Final = 40
MESSAGES_PER_VISITOR: Final = 10
RUNS: Final = 5
RULE: Final = """
id: reminds
when: add_to_cart -> no purchase within 15m
goal: purchase within 3d
quiet: none
send:
  - {message}
    if: cart.value > 0
"""
#: The messages of the rules, each with a template of the library; the email's text is derived from its HTML.
MESSAGES: Final = ("banner: keep_my_cart", "email: cart_reminder")
#: The folder with the templates and the policy of a shop.
LIBRARY: Final = Path(library.__file__).parent
MEMORY_BYTES: Final = 1024**3

#: The events of each visitor in the last days: an address, a consent, a cart and further behaviour.
_EVENTS: Final = """
INSERT INTO events (site, visitor_id, anonymous_id, event_id, event, type, source, ts, received_at,
                    product_id, name, price, quantity, value, currency, timezone, locale, props)
SELECT 'shop', concat('visitor-', toString(intDiv(number, {each:UInt32}))) AS visitor, visitor,
       toString(number), ['identify', 'consent', 'add_to_cart', 'add_to_cart', 'purchase', 'page_view', 'scroll',
                          'hover', 'view_item', 'click'][number % {each:UInt32} % 10 + 1] AS event_name,
       'track', 'live', now64(3) - toIntervalMinute(10 + 60 * (number % {each:UInt32})) AS at, at,
       concat('p', toString(number % 7)), 'Tent', 100, 1, 100, 'EUR', 'Europe/Berlin', 'de-DE',
       multiIf(event_name = 'identify', concat('{"traits": {"email": "', visitor, '@example.com"}}'),
               event_name = 'consent', '{"marketing": true}', '{"colour": "red"}')
FROM numbers({count:UInt32})
"""
#: The messages to each visitor in the last days.
_SENT: Final = """
INSERT INTO messages (message_id, site, rule, visitor_id, channel, class, state, at, due_at, expires_at)
SELECT toString(number), 'shop', 'another', concat('visitor-', toString(intDiv(number, {each:UInt32}))), 'banner',
       'marketing', arrayJoin(['pending', 'sent', 'shown', 'clicked']),
       now64(3) - toIntervalHour(24 + number % {each:UInt32} * 24) AS at_, at_, at_
FROM numbers({count:UInt32})
"""


def measure() -> list[str]:
    """Return the processor time of decisions and rendering, including the embedded engine's."""
    with (
        tempfile.TemporaryDirectory() as folder,
        connect(f"chdb://{folder}/clickhouse?database=gate", MEMORY_BYTES) as warehouse,
    ):
        migrate(warehouse)
        for sql, each in ((_EVENTS, EVENTS_PER_VISITOR), (_SENT, MESSAGES_PER_VISITOR)):
            warehouse.command(sql, {"each": each, "count": each * FIRINGS})
        return [_measured(warehouse, message) for message in MESSAGES]


def _measured(warehouse: Warehouse, message: str) -> str:
    now_ms = time.time_ns() // 1_000_000
    compiled, due = _firings(message, now_ms)
    templates = TemplateFolder(LIBRARY / "templates")
    deciding, rendering, sent = [], [], 0
    for _ in range(RUNS):
        started = time.process_time()
        sending = [one for one in _decided(warehouse, compiled, due, now_ms) if one.verdict.decision == "send"]
        decided = time.process_time()
        sent = sum(_render(templates, one) is not None for one in sending)
        deciding.append((decided - started) * 1000)
        rendering.append((time.process_time() - decided) * 1000)
    both = [sum(pair) for pair in zip(deciding, rendering, strict=True)]
    figures = ", ".join(
        f"{name} p50 {percentile(samples, 0.5):.0f} ms, max {max(samples):.0f} ms"
        for name, samples in (("decide", deciding), ("render", rendering), ("both", both))
    )
    return f"gate, {len(due)} firings at once, {sent} sent ({message}), processor time: {figures} ({RUNS} runs)"


def _firings(message: str, now_ms: int) -> tuple[CompiledRule, list[QueuedMessage]]:
    """Return a rule, and the message of each of its firings."""
    rule = read_rule(RULE.format(message=message), "bench.yaml", AudienceNames()).rule
    if rule is None:
        raise SystemExit("the rule of the benchmark is not valid")
    visitors = [f"visitor-{number}" for number in range(FIRINGS)]
    fires = (Fire(visitor, "shop", rule.id, rule.version, visitor, "", now_ms, {}) for visitor in visitors)
    due = [message for fire in fires for message in queue_messages(rule, fire, now_ms)]
    return LiveRules([rule]).by_id[rule.id], due


def _decided(warehouse: Warehouse, compiled: CompiledRule, due: list[QueuedMessage], now_ms: int) -> Iterator[Decided]:
    """Yield verdicts, in batches of the worker's size, on people who have to be read."""
    hourly = HourlyMessages({}, WorkerMetrics(CollectorRegistry()))
    addressing = Addressing(AddressKeys(b"secret"), AddressBook())
    decider, policy = (
        Decider(Recipients({}), addressing, hourly, Posteriors(warehouse)),
        load_policy(LIBRARY / "policy.yaml"),
    )
    rules = {(compiled.rule.id, compiled.rule.version): compiled}
    scope = LiveRules([compiled.rule]).scope
    for start in range(0, len(due), MAX_DECIDED):
        batch = due[start : start + MAX_DECIDED]
        people: dict[Visitor, PersonState] = {}
        for first in range(0, len(batch), MAX_TOGETHER):
            visitors = {message.visitor for message in batch[first : first + MAX_TOGETHER]}
            people |= read_people(warehouse, visitors, scope, now_ms, now_ms)
        yield from decider.decide(batch, people, rules, policy, now_ms)


def _render(templates: TemplateFolder, one: Decided) -> Content:
    context = RenderContext(
        visitor=one.profile.visitor,
        site=SiteContext(name="shop", url="https://shop.example"),
        rule=RuleContext(one.message.rule),
        cart=one.profile.cart,
        event=one.message.event,
        product=one.message.event,
        order=one.profile.order,
    )
    return templates.render(one.message.channel, one.message.template, context)
