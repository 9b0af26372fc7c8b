"""The trigger worker, wired: rules, gate, templates and channels."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from prometheus_client import start_http_server

from micromoment.bus import BANNERS, NEWS, Bus
from micromoment.serving import require_free
from micromoment.settings import Settings
from micromoment.shared import Shared
from micromoment.tasks import running
from trigger_worker.channels.banner import BannerChannel
from trigger_worker.channels.base import Channel
from trigger_worker.channels.email import EmailChannel, EmailSettings
from trigger_worker.channels.webhook import WebhookChannel, WebhookSettings
from trigger_worker.content.templates import TemplateFolder
from trigger_worker.decider import Decider
from trigger_worker.dispatcher import Dispatcher
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.outbox import Outbox
from trigger_worker.policy_source import PolicySource
from trigger_worker.reading.feed import read_clock
from trigger_worker.records import Records
from trigger_worker.rules.folder import RuleFolder
from trigger_worker.worker import Worker

_SETTLE_SECONDS: Final = 5.0


@asynccontextmanager
async def run_worker_alone(shared: Shared) -> AsyncIterator[None]:
    """Evaluate rules in a process of their own, whose figures are at `/metrics` of `worker_port`.

    Raises:
        ConfigurationError: the port is taken, or as `run_worker`.
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
    """Evaluate rules and send messages until the block ends.

    Raises:
        ConfigurationError: a channel's settings make no sense.
        RuleError: the policy file is wrong.
    """
    settings, warehouse, bus = shared.settings, shared.warehouse, shared.bus
    metrics = WorkerMetrics(shared.registry)
    outbox = Outbox()
    async with AsyncExitStack() as stack:
        dispatcher = Dispatcher(
            records=Records(warehouse),
            outbox=outbox,
            templates=TemplateFolder(Path(settings.templates_folder)),
            channels=await _channels(settings, bus, stack),
            site_urls={name: site.url for name, site in settings.sites.items()},
            metrics=metrics,
            now_ms=_now_ms,
        )
        worker = Worker(
            warehouse,
            folder=RuleFolder(Path(settings.rules_folder), Path(settings.audiences_file)),
            policy=PolicySource(Path(settings.policy_file)),
            decider=Decider(warehouse, settings.webhook_url),
            dispatcher=dispatcher,
            outbox=outbox,
            metrics=metrics,
            clock_ms=lambda: read_clock(warehouse),
        )
        await stack.enter_async_context(running(bus.listen(NEWS, lambda _: worker.wake()), "news"))
        await stack.enter_async_context(running(worker.run(), "worker"))
        yield
    await dispatcher.settle(_SETTLE_SECONDS)


async def _channels(settings: Settings, bus: Bus, stack: AsyncExitStack) -> dict[str, Channel]:
    async def publish(notice: bytes) -> None:
        await bus.publish(BANNERS, notice)

    channels: list[Channel] = [BannerChannel(publish)]
    if settings.smtp_host:
        email = EmailSettings(
            host=settings.smtp_host,
            port=settings.smtp_port,
            sender=settings.smtp_sender,
            username=settings.smtp_username,
            password=settings.smtp_password,
            security=settings.smtp_security,
        )
        channels.append(await stack.enter_async_context(EmailChannel(email, _now_ms)))
    if settings.webhook_url:
        webhook = WebhookSettings(url=settings.webhook_url, secret=settings.webhook_secret)
        channels.append(await stack.enter_async_context(WebhookChannel(webhook, _now_ms)))
    return {channel.name: channel for channel in channels}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
