"""The role of the collector: spool, writer, banner desk and web server are built from the settings and run."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

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
from micromoment.configuration.kept_secrets import public_push_key, read_push_key, read_secret
from micromoment.configuration.settings import Settings, collector_url
from micromoment.roles.shared import BANNERS, NEWS, Shared
from micromoment.serving import running, serve
from warehouse.errors import ConfigurationError, WarehouseError
from warehouse.message_token import MessageTokens
from warehouse.webhook_signature import decode_secret

#: Pages that listen, and requests; a collector that has so many takes further ones once others end.
MAX_CONNECTIONS: Final = 30_000
#: The longest that the rest of the spool may take to reach ClickHouse once the collector stops.
_DRAIN_WITHIN_SECONDS: Final = 5.0


@asynccontextmanager
async def run_collector(shared: Shared) -> AsyncIterator[None]:
    """Take events and stream banners until the block ends, then move the rest of the spool to ClickHouse.

    Raises:
        ConfigurationError: no site is configured, the port is taken, or the data folder cannot be written.
    """
    settings, bus = shared.settings, shared.bus
    sites = configured_sites(settings)
    spool_file = Path(settings.data_folder) / "spool.sqlite"
    with GroupCommit(Spool(spool_file, settings.spool_max_events)) as spool:
        metrics = CollectorMetrics(shared.registry)
        writer = Writer(spool, shared.warehouse, lambda: bus.publish(NEWS, b"{}"), metrics)
        parts = _build_parts(shared, sites, spool, writer, metrics)
        app = create_app(parts, load_sdk(), version("micromoment"))
        async with (
            running(bus.listen(BANNERS, parts.desk.deliver), "banner desk"),
            _moving(writer),
            serve(app, settings.host, settings.collector_port, "collector_port", MAX_CONNECTIONS),
        ):
            try:
                yield
            finally:
                parts.desk.end_streams()


def configured_sites(settings: Settings) -> Sites:
    """Return the configured sites, by name and by write key.

    Raises:
        ConfigurationError: no site is configured, or two sites share a write key.
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
    """Return the keys and the address by which callbacks of providers are verified.

    Raises:
        ConfigurationError: the secret of callbacks is no key.
    """
    secret = settings.callback_secret
    key = decode_secret(secret, "callback_secret") if secret else b""
    return CallbackSettings(collector_url(settings), settings.sms_token, key)


def _build_parts(
    shared: Shared, sites: Sites, spool: GroupCommit, writer: Writer, metrics: CollectorMetrics
) -> CollectorParts:
    settings, warehouse = shared.settings, shared.warehouse
    secret = read_secret(settings)
    collector_settings = CollectorSettings(
        settings.script_path,
        settings.country_header,
        settings.address_header,
        push_public_key=public_push_key(read_push_key(settings)),
    )
    desk = BannerDesk(
        warehouse,
        metrics,
        _now_ms,
        heartbeat_seconds=collector_settings.heartbeat_seconds,
        is_alone=not settings.redis,
    )
    return CollectorParts(
        settings=collector_settings,
        sites=sites,
        ingest=Ingest(spool, writer, metrics, desk.hear),
        spool=spool,
        warehouse=warehouse,
        desk=desk,
        tokens=StreamTokens(secret),
        message_tokens=MessageTokens(secret),
        rate=RateLimit(settings.rate_per_second, settings.rate_burst),
        metrics=metrics,
        now_ms=_now_ms,
        callbacks=callback_settings(settings),
    )


@asynccontextmanager
async def _moving(writer: Writer) -> AsyncIterator[None]:
    """Move events from the spool to ClickHouse until the block ends, then the rest for a bounded time."""
    async with running(writer.run(), "spool writer"):
        yield
    with contextlib.suppress(WarehouseError, TimeoutError):
        async with asyncio.timeout(_DRAIN_WITHIN_SECONDS):
            await writer.drain()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
