"""The role of the trigger worker: rules, gate, templates and channels are built from the settings and run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from micromoment.configuration.kept_secrets import read_secret
from micromoment.roles.bus import Bus, BusListener
from micromoment.roles.channels import (
    content_hosts,
    email_channel,
    fixed_recipients,
    mail_links,
    message_links,
    open_http_channels,
    site_contexts,
)
from micromoment.roles.operations import serve_operations
from micromoment.roles.ownership import work_as_owner
from micromoment.roles.shared import Shared
from micromoment.serving import running
from trigger_worker.deciding.decider import Decider
from trigger_worker.deciding.experiment.placement import Posteriors
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.recipient.addressing import Addressing
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.deciding.sequence.hourly_messages import HourlyMessages
from trigger_worker.deciding.sequence.outbox import Outbox
from trigger_worker.delivery.channels.banner import BannerChannel
from trigger_worker.delivery.channels.base import Channel
from trigger_worker.delivery.content.foreign_text import FactCleaner
from trigger_worker.delivery.content.links import MessageLinks
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.delivery.ledger import Ledger
from trigger_worker.delivery.loop import DeliveryLoop
from trigger_worker.delivery.offers.catalogue import Catalogue
from trigger_worker.delivery.offers.offer_facts import OfferFacts
from trigger_worker.delivery.renderer import Renderer
from trigger_worker.live.loop import EvaluationLoop
from trigger_worker.live.told_addresses import ToldAddresses
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.address_book import AddressBook, AddressSource
from trigger_worker.people.memory import People
from trigger_worker.people.source import PeopleSource
from trigger_worker.rules.files.folder import RuleFolder
from trigger_worker.store.feed import read_clock
from trigger_worker.store.records import Records
from trigger_worker.store.row_log import JournalRowLog, RowLog
from trigger_worker.store.rule_versions import RuleVersions
from trigger_worker.worker import Worker
from warehouse.address_ledger import AddressKeys
from warehouse.connection import Warehouse
from warehouse.event import EventRow

#: The longest that open attempts to send may take once the worker stops.
_SETTLE_SECONDS: Final = 5.0
#: Seconds between two sweeps while the bus brings nothing, as pages wait for what they find.
SWEEP_SECONDS_WITHOUT_BUS: Final = 0.3


@asynccontextmanager
async def run_worker_alone(shared: Shared) -> AsyncIterator[None]:
    """Run the worker, and serve operators at `worker_port`, until the block ends.

    Raises:
        ConfigurationError: the port is taken, or the settings of a channel are wrong.
        RuleError: the policy file is wrong.
    """
    async with serve_operations(shared, "worker_port"), run_worker(shared):
        yield


@asynccontextmanager
async def run_worker(shared: Shared) -> AsyncIterator[None]:
    """Evaluate rules and send messages until the block ends, whenever this process has the lease.

    Raises:
        ConfigurationError: the settings of a channel are wrong.
        RuleError: the policy file is wrong.
    """
    metrics = WorkerMetrics(shared.registry)

    def open_work(may_send: Callable[[], bool]) -> AbstractAsyncContextManager[Coroutine[Any, Any, None]]:
        return _open_work(shared, metrics, may_send)

    # Settings that are wrong are told at the start, not once the lease is there.
    async with _open_worker(shared, metrics, lambda: False):
        pass
    async with running(work_as_owner(shared.settings, shared.registry, open_work), "worker"):
        yield


@asynccontextmanager
async def _open_work(
    shared: Shared, metrics: WorkerMetrics, may_send: Callable[[], bool]
) -> AsyncIterator[Coroutine[Any, Any, None]]:
    """Yield the loops of a worker that hears the bus."""
    async with (
        _open_worker(shared, metrics, may_send) as worker,
        shared.bus.listening(
            BusListener(on_accepted=worker.hear, on_addresses=worker.hear_addresses, on_gap=lambda _: worker.wake())
        ),
    ):
        with shared.erasures.forgetting(worker.forget_erased):
            yield _run(worker, shared.bus)


async def _run(worker: Worker, bus: Bus) -> None:
    """Run a worker; while the bus brings nothing, it looks for events more often."""
    async with running(_sweep_often(worker, bus), "sweeps without a bus"):
        await worker.run()


async def _sweep_often(worker: Worker, bus: Bus) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS_WITHOUT_BUS)
        if bus.state() != "ok":
            worker.wake()


@asynccontextmanager
async def _open_worker(shared: Shared, metrics: WorkerMetrics, may_send: Callable[[], bool]) -> AsyncIterator[Worker]:
    """Yield a worker with its channels open.

    Args:
        shared: the parts that all roles share.
        metrics: counts what the worker does.
        may_send: tells whether this process still has the lease.
    """
    settings, warehouse, links = shared.settings, shared.warehouse, message_links(shared.settings)
    records = Records(warehouse, settings.retention_days)
    catalogue = Catalogue(warehouse)
    cleaner = FactCleaner(content_hosts(settings), catalogue.find)
    async with AsyncExitStack() as stack:
        worker = build_worker(
            warehouse,
            records=records,
            log=JournalRowLog(shared.journal, settings.retention_days, is_alone=not settings.redis),
            folder=RuleFolder(Path(settings.rules_folder), Path(settings.audiences_file)),
            policy=PolicySource(Path(settings.policy_file), Path(settings.suppressions_file)),
            recipients=fixed_recipients(settings),
            renderer=Renderer(
                TemplateFolder(Path(settings.templates_folder)),
                site_contexts(settings),
                cleaner,
                OfferFacts(warehouse, Path(settings.coupons_folder), catalogue, cleaner),
                links,
            ),
            channels=await _open_channels(shared, records, links, stack),
            people=People(settings.people_max_bytes, shared.clock.now_ms()),
            addresses=AddressKeys(read_secret(settings)),
            confirming={name for name, site in settings.sites.items() if site.confirmed_addresses == "required"},
            ceilings={name: site.hourly_messages for name, site in settings.sites.items()},
            metrics=metrics,
            # The embedded engine stamps the feed by this machine's clock; reading its clock would be a query each time.
            clock_ms=shared.clock.now_ms if warehouse.dsn.embedded else lambda: read_clock(warehouse),
            now_ms=shared.clock.now_ms,
            caught_up=shared.caught_up,
            may_send=may_send,
        )
        stack.callback(worker.close)
        # Runs before the channels are closed: whether an attempt that is cut off reached anybody is unknown.
        stack.push_async_callback(worker.dispatcher.stop, _SETTLE_SECONDS)
        yield worker


def build_worker(  # noqa: PLR0913 - every collaborator is named here, once
    warehouse: Warehouse,
    *,
    records: Records,
    log: RowLog,
    folder: RuleFolder,
    policy: PolicySource,
    recipients: Recipients,
    renderer: Renderer,
    channels: Mapping[str, Channel],
    people: People,
    addresses: AddressKeys,
    confirming: Set[str],
    ceilings: Mapping[str, int],
    metrics: WorkerMetrics,
    clock_ms: Callable[[], int],
    now_ms: Callable[[], int],
    caught_up: Callable[[], Awaitable[None]],
    may_send: Callable[[], bool] = lambda: True,
) -> Worker:
    """Return a worker whose loops share one memory of people, one log of rows, and the messages that wait.

    Args:
        warehouse: the ClickHouse database.
        records: stores rule versions and the cursor.
        log: makes firings, verdicts and states of messages durable.
        folder: the rule files.
        policy: the policy of the gate.
        recipients: finds addresses.
        renderer: renders messages.
        channels: the configured channels, by name.
        people: the people in memory.
        addresses: turns addresses into keys of the ledger of addresses.
        confirming: the sites on which an address counts as a person's only once it is confirmed.
        ceilings: by site, the most messages of a class an hour; 0 for no ceiling.
        metrics: counts what the worker does.
        clock_ms: the clock that stamps the feed, in epoch ms; it may ask ClickHouse.
        now_ms: returns the present by this machine's clock, in epoch ms.
        caught_up: returns once the rows of an earlier process are in ClickHouse.
        may_send: tells whether this process is the one that sends.
    """
    versions = RuleVersions(warehouse, records)
    source = PeopleSource(warehouse, people, metrics)
    outbox = Outbox()

    def hear(rows: Sequence[EventRow], at: int) -> None:
        """Hear of events of our own as of those of collectors."""
        worker.hear(rows, at)

    book = AddressBook()
    ledger = Ledger(log, people, book, hear, now_ms)
    dispatcher = Dispatcher(ledger, outbox, renderer, channels, metrics, now_ms, may_send)
    delivery = DeliveryLoop(
        outbox=outbox,
        decider=Decider(
            recipients,
            Addressing(addresses, book, confirming),
            HourlyMessages(ceilings, metrics),
            Posteriors(warehouse),
        ),
        dispatcher=dispatcher,
        versions=versions,
        policy=policy,
        people=source,
        addresses=AddressSource(warehouse, book),
        metrics=metrics,
        now_ms=now_ms,
    )
    told = ToldAddresses(warehouse, addresses, book, people, source, records, metrics)
    evaluation = EvaluationLoop(
        warehouse,
        folder=folder,
        policy=policy,
        versions=versions,
        records=records,
        log=log,
        people=people,
        source=source,
        addresses=told,
        delivery=delivery,
        metrics=metrics,
        clock_ms=clock_ms,
        now_ms=now_ms,
    )
    worker = Worker(
        warehouse,
        evaluation=evaluation,
        delivery=delivery,
        dispatcher=dispatcher,
        source=source,
        book=book,
        metrics=metrics,
        clock_ms=clock_ms,
        caught_up=caught_up,
    )
    return worker


async def _open_channels(
    shared: Shared, records: Records, links: MessageLinks, stack: AsyncExitStack
) -> dict[str, Channel]:
    settings = shared.settings
    channels: list[Channel] = [BannerChannel(shared.bus.publish_banner)]
    if settings.smtp_host:
        email = email_channel(settings, shared.clock.now_ms, mail_links(settings, links))
        channels.append(await stack.enter_async_context(email))
    channels += await open_http_channels(settings, records, stack, shared.clock.now_ms)
    return {channel.name: channel for channel in channels}
