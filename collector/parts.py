"""Everything that the collector's routes need, built once and handed to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from litestar.di import NamedDependency

from collector.banners.desk import BannerDesk
from collector.banners.visitor_token import VisitorTokens
from collector.feedback.callback_settings import CallbackSettings
from collector.ingest import Ingest
from collector.metrics import CollectorMetrics
from collector.rate import RateLimit
from collector.script import Sdk
from collector.sites import Sites
from collector.spool.group_commit import GroupCommit
from warehouse.connection import Warehouse
from warehouse.message_token import MessageTokens


class CollectorSettings(msgspec.Struct, frozen=True):
    """What an operator may set.

    Args:
        script_path: where the SDK is served; ad blockers match names.
        country_header: header of a trusted proxy that names the visitor's country, '' for none.
        address_header: header of a trusted proxy that names the visitor's address, '' for none.
        heartbeat_seconds: between two signs of life on a silent stream.
        push_public_key: what browsers subscribe to notifications with, base64url.
    """

    script_path: str = "/mm.js"
    country_header: str = ""
    address_header: str = ""
    heartbeat_seconds: float = 15.0
    push_public_key: str = ""


class CollectorParts(msgspec.Struct, frozen=True):
    """The collector's parts; `now_ms` is its clock in epoch milliseconds."""

    settings: CollectorSettings
    sites: Sites
    ingest: Ingest
    spool: GroupCommit
    warehouse: Warehouse
    desk: BannerDesk
    tokens: VisitorTokens
    message_tokens: MessageTokens
    rate: RateLimit
    sdk: Sdk
    metrics: CollectorMetrics
    now_ms: Callable[[], int]
    check_ready: Callable[[], Awaitable[dict[str, str]]]
    callbacks: CallbackSettings = CallbackSettings()


#: How a route asks for the parts.
CurrentParts = NamedDependency[CollectorParts]
