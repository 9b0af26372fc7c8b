"""The role of the collector: intake, banner desk and web server are built from the settings and run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

from collector.admission.bodies import MAX_BODIES_EACH, Bodies
from collector.admission.turns import MAX_LARGE_EACH, LargeBatches
from collector.admission.visitors import VisitorPace
from collector.app import create_app, describe_api
from collector.banners.desk import BannerDesk
from collector.banners.missed import MissedBanners
from collector.banners.stream_token import StreamTokens
from collector.feedback.address_notes import AddressNotes
from collector.ingest import Ingest
from collector.intake.fault_book import FaultBook
from collector.metrics import CollectorMetrics
from collector.parts import Bounds, CallbackSettings, CollectorParts, CollectorSettings, open_streams
from collector.platforms.requests import ErasureQueue
from collector.rate import RateLimit
from collector.routes.script import load_sdk
from collector.sites import Site, Sites
from micromoment.configuration.kept_secrets import public_push_key, read_push_key, read_secret
from micromoment.configuration.settings import Settings, collector_url
from micromoment.configuration.site_keys import identity_secrets, server_keys
from micromoment.configuration.site_money import site_money
from micromoment.roles.bus import BusListener
from micromoment.roles.shared import Shared
from micromoment.roles.shop_webhooks import shop_webhooks
from micromoment.serving import running, serve
from warehouse.address_ledger import AddressKeys
from warehouse.errors import ConfigurationError
from warehouse.event import EventRow
from warehouse.message_token import MessageTokens
from warehouse.webhook_signature import decode_secret

#: Pages that listen, and requests; a collector that has so many takes further ones once others end.
MAX_CONNECTIONS: Final = 30_000
#: What a site may send at once, as so many seconds of its rate.
_SITE_BURST_SECONDS: Final = 5


def api_description(settings: Settings) -> bytes:
    """Return the collector's API as OpenAPI, in JSON."""
    return describe_api(load_sdk(), settings.script_path, version("micromoment"))


@asynccontextmanager
async def run_collector(shared: Shared) -> AsyncIterator[None]:
    """Take events and stream banners until the block ends.

    Raises:
        ConfigurationError: no site is configured, or the port is taken.
    """
    settings, bus = shared.settings, shared.bus
    sites = configured_sites(settings)
    metrics = CollectorMetrics(shared.registry)
    faults = FaultBook(shared.journal, shared.clock.now_ms)
    parts = _build_parts(shared, sites, metrics, faults)
    missed = MissedBanners(
        shared.warehouse, parts.desk.take_missed, lambda: bus.state() != "ok", metrics, shared.clock.now_ms
    )

    def note_gap(since: int) -> None:
        parts.desk.forget_all()
        missed.note_gap(since)

    app = create_app(parts, load_sdk())
    async with (
        _kept_count(faults),
        bus.listening(BusListener(on_banner=parts.desk.take, on_gap=note_gap)),
        _reading(missed, settings),
        serve(app, settings.host, settings.collector_port, "collector_port", MAX_CONNECTIONS),
    ):
        try:
            with (
                shared.erasures.forgetting(parts.desk.forget_erased),
                shared.erasures.forgetting(parts.ingest.forget_erased),
            ):
                yield
        finally:
            parts.desk.end_streams()


@asynccontextmanager
async def _kept_count(faults: FaultBook) -> AsyncIterator[None]:
    """Bring what is counted to the journal until the block ends, and then the rest."""
    try:
        async with running(faults.run(), "faults"):
            yield
    finally:
        await faults.hand_over(at_once=True)


@asynccontextmanager
async def _reading(missed: MissedBanners, settings: Settings) -> AsyncIterator[None]:
    """Read what the bus does not bring until the block ends; within one process it brings everything."""
    if not settings.redis:
        yield
        return
    async with running(missed.run(), "missed banners"):
        yield


def configured_sites(settings: Settings) -> Sites:
    """Return the configured sites, by name and by key.

    Raises:
        ConfigurationError: no site is configured, two sites share a key, or a secret is too short.
    """
    if not settings.sites:
        raise ConfigurationError(
            "sites: no site is configured, so no event could be taken",
            'add [sites.shop] with write_key = "..." to micromoment.toml',
        )
    _require_different("a write key", [site.write_key for site in settings.sites.values()])
    sites = [_site(settings, name) for name in settings.sites]
    _require_different("a write key or server key", [k for site in sites for k in (site.write_key, *site.server_keys)])
    # A signature for one shop must be none for another.
    _require_different("an identity secret", [secret for site in sites for secret in site.identity_secrets])
    addresses = [(webhook.name, webhook.token) for site in sites for webhook in site.webhooks]
    _require_different("the address of a webhook", addresses)
    return Sites(sites)


def _site(settings: Settings, name: str) -> Site:
    site, money = settings.sites[name], site_money(settings, name)
    return Site(
        name,
        site.write_key,
        site.origins,
        site.retention_days,
        site.consent,
        server_keys=server_keys(settings, name),
        identity=site.identity,
        identity_secrets=identity_secrets(settings, name),
        webhooks=shop_webhooks(settings, name),
        consent_categories=site.categories,
        none_ids=site.none_ids,
        real_ids=site.real_ids,
        currency=money.currency,
        rates=money.rates,
    )


def _require_different(what: str, keys: Sequence[object]) -> None:
    if len(set(keys)) < len(keys):
        raise ConfigurationError(f"sites: two sites share {what}", "give each its own")


def callback_settings(settings: Settings) -> CallbackSettings:
    """Return the keys and the address by which callbacks of providers are verified.

    Raises:
        ConfigurationError: the secret of callbacks is no key.
    """
    secret = settings.callback_secret
    key = decode_secret(secret, "callback_secret") if secret else b""
    return CallbackSettings(collector_url(settings), settings.sms_token, key)


def _build_parts(shared: Shared, sites: Sites, metrics: CollectorMetrics, faults: FaultBook) -> CollectorParts:
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
        shared.clock.now_ms,
        heartbeat_seconds=collector_settings.heartbeat_seconds,
        is_alone=not settings.redis,
    )

    def pass_on(rows: Sequence[EventRow], at: int) -> None:
        # The desk hears what came here, not what came to other collectors: they would have to tell it of each event.
        desk.hear(rows, at)
        shared.bus.publish_accepted(rows, at)

    return CollectorParts(
        settings=collector_settings,
        sites=sites,
        ingest=Ingest(shared.journal, metrics, pass_on, _visitor_pace(settings), shared.erasures.is_erased, faults),
        journal=shared.journal,
        addresses=AddressNotes(AddressKeys(secret), sites, shared.journal, shared.bus.publish_addresses),
        warehouse=warehouse,
        desk=desk,
        tokens=StreamTokens(secret),
        message_tokens=MessageTokens(secret),
        rate=RateLimit(settings.rate_per_second, settings.rate_burst),
        bounds=_bounds(settings),
        metrics=metrics,
        now_ms=shared.clock.now_ms,
        callbacks=callback_settings(settings),
        erasures=ErasureQueue(shared.data.erase),
    )


def _visitor_pace(settings: Settings) -> VisitorPace:
    """Return how many events each visitor may send; any, where addresses have no rate."""
    return VisitorPace(settings.visitor_events_per_minute if settings.rate_per_second > 0 else 0)


def _bounds(settings: Settings) -> Bounds:
    """Return what senders may have under way; of one address anything, where addresses have no rate."""
    is_bounded = settings.rate_per_second > 0
    site_rate = settings.site_rate_per_second
    return Bounds(
        site_rate=RateLimit(site_rate, max(1, round(site_rate * _SITE_BURST_SECONDS))),
        bodies=Bodies(MAX_BODIES_EACH if is_bounded else 0),
        large=LargeBatches(MAX_LARGE_EACH if is_bounded else 0),
        streams=open_streams(settings.streams_per_address if is_bounded else 0),
        event_max_age_ms=settings.event_max_age_days * 86_400_000,
    )
