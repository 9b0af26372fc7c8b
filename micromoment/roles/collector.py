"""The collector, wired: spool, writer, banner desk and HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from collector.app import create_app
from collector.banners.desk import BannerDesk
from collector.banners.stream_token import StreamTokens
from collector.ingest import Ingest
from collector.metrics import CollectorMetrics
from collector.parts import CallbackSettings, CollectorParts, CollectorSettings
from collector.rate import RateLimit
from collector.routes.script import load_sdk
from collector.sites import Site, Sites
from collector.spool.file import Spool
from collector.spool.group_commit import GroupCommit
from collector.spool.writer import Writer
from micromoment.configuration.addresses import collector_url
from micromoment.configuration.push_key import public_push_key, read_push_key
from micromoment.configuration.secret import read_secret
from micromoment.configuration.settings import Settings
from micromoment.roles.bus import BANNERS, NEWS
from micromoment.roles.shared import Shared
from micromoment.roles.tasks import running
from micromoment.serving import serve
from micromoment.version import VERSION
from warehouse.errors import ConfigurationError, WarehouseError
from warehouse.message_token import MessageTokens
from warehouse.webhook_signature import decode_secret

_DRAIN_WITHIN_SECONDS: Final = 5.0

_log = structlog.get_logger("micromoment.collector")


@asynccontextmanager
async def run_collector(shared: Shared) -> AsyncIterator[None]:
    """Take events and stream banners until the block ends; what is left of the spool is moved before it does.

    Raises:
        ConfigurationError: no site is configured, the port is taken, or the data folder cannot be written.
    """
    settings, warehouse, bus = shared.settings, shared.warehouse, shared.bus
    sites = configured_sites(settings)
    metrics = CollectorMetrics(shared.registry)
    secret = read_secret(settings)
    spool_file = Path(settings.data_folder) / "spool.sqlite"
    with GroupCommit(Spool(spool_file, settings.spool_max_events)) as spool:
        writer = Writer(spool, warehouse, lambda: bus.publish(NEWS, b"{}"), metrics)
        desk = BannerDesk(metrics)
        parts = CollectorParts(
            settings=CollectorSettings(
                settings.script_path,
                settings.country_header,
                settings.address_header,
                push_public_key=public_push_key(read_push_key(settings)),
            ),
            sites=sites,
            ingest=Ingest(spool, writer, metrics),
            spool=spool,
            warehouse=warehouse,
            desk=desk,
            tokens=StreamTokens(secret),
            message_tokens=MessageTokens(secret),
            rate=RateLimit(settings.rate_per_second, settings.rate_burst),
            metrics=metrics,
            now_ms=lambda: time.time_ns() // 1_000_000,
            callbacks=callback_settings(settings),
        )
        app = create_app(parts, load_sdk(), VERSION)
        async with (
            running(bus.listen(BANNERS, desk.deliver), "banner desk"),
            _moving(writer),
            serve(app, settings.host, settings.collector_port, "collector_port"),
        ):
            try:
                yield
            finally:
                desk.end_streams()


def configured_sites(settings: Settings) -> Sites:
    """Return the sites.

    Raises:
        ConfigurationError: there are none, or two share a write key.
    """
    sites = [
        Site(name, site.write_key, site.origins, site.retention_days, site.consent)
        for name, site in settings.sites.items()
    ]
    if not sites:
        raise ConfigurationError(
            "sites: no site is configured, so no event could be taken",
            'add [sites.shop] with write_key = "..." to micromoment.toml',
        )
    keys = [site.write_key for site in sites]
    if len(set(keys)) < len(keys):
        raise ConfigurationError("sites: two sites share a write key", "give each its own")
    return Sites(sites)


def callback_settings(settings: Settings) -> CallbackSettings:
    """Return what it takes to believe providers.

    Raises:
        ConfigurationError: the secret of callbacks is none.
    """
    secret = settings.callback_secret
    key = decode_secret(secret, "callback_secret") if secret else b""
    return CallbackSettings(collector_url(settings), settings.sms_token, key)


@asynccontextmanager
async def _moving(writer: Writer) -> AsyncIterator[None]:
    async with running(writer.run(), "spool writer"):
        yield
    with contextlib.suppress(WarehouseError, TimeoutError):
        async with asyncio.timeout(_DRAIN_WITHIN_SECONDS):
            await writer.drain()
