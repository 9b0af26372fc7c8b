"""The role of the trigger worker: rules, gate, templates and channels are built from the settings and run."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from prometheus_client import start_http_server

from micromoment.roles.bus import BusListener
from micromoment.roles.channels import email_channel, fixed_recipients, mail_links, message_links, open_http_channels
from micromoment.roles.ownership import work_as_owner
from micromoment.roles.shared import Shared
from micromoment.serving import require_free, running
from trigger_worker.deciding.decider import Decider
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.sequence.outbox import Outbox
from trigger_worker.delivery.channels.banner import BannerChannel
from trigger_worker.delivery.channels.base import Channel
from trigger_worker.delivery.content.links import MessageLinks
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.delivery.loop import DeliveryLoop
from trigger_worker.delivery.offers.offer_facts import OfferFacts
from trigger_worker.delivery.renderer import Renderer
from trigger_worker.live.loop import EvaluationLoop
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.rules.files.folder import RuleFolder
from trigger_worker.store.feed import read_clock
from trigger_worker.store.records import Records
from trigger_worker.store.rule_versions import RuleVersions
from trigger_worker.worker import Worker
from warehouse.connection import Warehouse

#: The longest that open attempts to send may take once the worker stops.
_SETTLE_SECONDS: Final = 5.0


@asynccontextmanager
async def run_worker_alone(shared: Shared) -> AsyncIterator[None]:
    """Run the worker and serve its metrics at `/metrics` of `worker_port`, until the block ends.

    Raises:
        ConfigurationError: the port is taken, or the settings of a channel are wrong.
        RuleError: the policy file is wrong.
    """
    settings = shared.settings
    require_free(settings.host, settings.worker_port, "worker_port")
    server, thread = start_http_server(settings.worker_port, settings.host, shared.registry)
    try:
        async with run_worker(shared):
            yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


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
    """Yield the loop of a worker that the bus wakes."""
    async with (
        _open_worker(shared, metrics, may_send) as worker,
        shared.bus.listening(BusListener(on_news=worker.wake, on_gap=worker.wake)),
    ):
        yield worker.run()


@asynccontextmanager
async def _open_worker(shared: Shared, metrics: WorkerMetrics, may_send: Callable[[], bool]) -> AsyncIterator[Worker]:
    """Yield a worker with its channels open.

    Args:
        shared: the parts that all roles share.
        metrics: counts what the worker does.
        may_send: tells whether this process still has the lease.
    """
    settings, warehouse = shared.settings, shared.warehouse
    outbox, records = Outbox(), Records(warehouse, settings.retention_days)
    async with AsyncExitStack() as stack:
        dispatcher = await _open_dispatcher(shared, records, outbox, metrics, may_send, stack)
        yield build_worker(
            warehouse,
            records=records,
            folder=RuleFolder(Path(settings.rules_folder), Path(settings.audiences_file)),
            policy=PolicySource(Path(settings.policy_file), Path(settings.suppressions_file)),
            decider=Decider(warehouse, fixed_recipients(settings)),
            dispatcher=dispatcher,
            outbox=outbox,
            metrics=metrics,
            # The embedded engine stamps the feed by this machine's clock; reading its clock would be a query each tick.
            clock_ms=_now_ms if warehouse.dsn.embedded else lambda: read_clock(warehouse),
        )


def build_worker(  # noqa: PLR0913 - every collaborator is named here, once
    warehouse: Warehouse,
    *,
    records: Records,
    folder: RuleFolder,
    policy: PolicySource,
    decider: Decider,
    dispatcher: Dispatcher,
    outbox: Outbox,
    metrics: WorkerMetrics,
    clock_ms: Callable[[], int],
) -> Worker:
    """Return a worker whose two loops share one set of records, rule versions and waiting messages.

    Args:
        warehouse: the ClickHouse database.
        records: stores firings, messages, rule versions and the cursor.
        folder: the rule files.
        policy: the policy of the gate.
        decider, dispatcher: judge and deliver messages.
        outbox: the messages that wait; the dispatcher puts back into it the ones to try again.
        metrics: counts what the worker does.
        clock_ms: the clock that stamps the feed, in epoch ms.
    """
    versions = RuleVersions(warehouse, records)
    delivery = DeliveryLoop(
        outbox=outbox,
        decider=decider,
        dispatcher=dispatcher,
        versions=versions,
        policy=policy,
        metrics=metrics,
        clock_ms=clock_ms,
    )
    evaluation = EvaluationLoop(
        warehouse,
        folder=folder,
        policy=policy,
        versions=versions,
        records=records,
        queue=delivery,
        metrics=metrics,
        clock_ms=clock_ms,
    )
    return Worker(
        warehouse,
        evaluation=evaluation,
        delivery=delivery,
        dispatcher=dispatcher,
        metrics=metrics,
        clock_ms=clock_ms,
    )


async def _open_dispatcher(
    shared: Shared,
    records: Records,
    outbox: Outbox,
    metrics: WorkerMetrics,
    may_send: Callable[[], bool],
    stack: AsyncExitStack,
) -> Dispatcher:
    """Return a dispatcher with the configured channels, which the stack stops and closes."""
    settings, links = shared.settings, message_links(shared.settings)
    dispatcher = Dispatcher(
        records=records,
        outbox=outbox,
        renderer=Renderer(
            TemplateFolder(Path(settings.templates_folder)),
            {name: site.url for name, site in settings.sites.items()},
            OfferFacts(shared.warehouse, Path(settings.coupons_folder)),
            links,
        ),
        channels=await _open_channels(shared, records, links, stack),
        metrics=metrics,
        now_ms=_now_ms,
        may_send=may_send,
    )
    # Runs before the channels are closed: whether an attempt that is cut off reached anybody is unknown.
    stack.push_async_callback(dispatcher.stop, _SETTLE_SECONDS)
    return dispatcher


async def _open_channels(
    shared: Shared, records: Records, links: MessageLinks, stack: AsyncExitStack
) -> dict[str, Channel]:
    settings = shared.settings
    channels: list[Channel] = [BannerChannel(shared.bus.publish_banner)]
    if settings.smtp_host:
        email = email_channel(settings, _now_ms, mail_links(settings, links))
        channels.append(await stack.enter_async_context(email))
    channels += await open_http_channels(settings, records, stack, _now_ms)
    return {channel.name: channel for channel in channels}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
