"""The parts of a collector that its routes need: built once by its role and handed to every route."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from litestar.di import NamedDependency

from collector.banners.desk import BannerDesk
from collector.banners.stream_token import StreamTokens
from collector.ingest import Ingest
from collector.metrics import CollectorMetrics
from collector.rate import RateLimit
from collector.sites import Sites
from warehouse.connection import Warehouse
from warehouse.journal.group_commit import JournalThread
from warehouse.message_token import MessageTokens


class CollectorSettings(msgspec.Struct, frozen=True):
    """The settings of a collector that an operator may change.

    Args:
        script_path: where the SDK is served; ad blockers match names.
        country_header: header of a trusted proxy that names the visitor's country, '' for none.
        address_header: header of a trusted proxy that names the visitor's address, '' for none.
        heartbeat_seconds: between two signs of life on a silent stream.
        push_public_key: the key with which browsers subscribe to notifications, base64url.
    """

    script_path: str = "/mm.js"
    country_header: str = ""
    address_header: str = ""
    heartbeat_seconds: float = 15.0
    push_public_key: str = ""


class CallbackSettings(msgspec.Struct, frozen=True):
    """The secrets that providers share with the collector, by which their callbacks are believed.

    Args:
        public_url: the collector's own address as providers reach it; text messages' callbacks are signed with it.
        sms_token: the account's auth token; '' to take no callback about text messages.
        email_key: the key that signs callbacks about emails, decoded; empty to take none.
    """

    public_url: str = ""
    sms_token: str = ""
    email_key: bytes = b""

    def __repr__(self) -> str:
        return f"CallbackSettings(public_url={self.public_url!r})"


class CollectorParts(msgspec.Struct, frozen=True):
    """The parts of one collector; `now_ms` is its clock and returns epoch ms."""

    settings: CollectorSettings
    sites: Sites
    ingest: Ingest
    journal: JournalThread
    warehouse: Warehouse
    desk: BannerDesk
    tokens: StreamTokens
    message_tokens: MessageTokens
    rate: RateLimit
    metrics: CollectorMetrics
    now_ms: Callable[[], int]
    callbacks: CallbackSettings = CallbackSettings()


#: The type by which a route asks for the parts.
CurrentParts = NamedDependency[CollectorParts]
