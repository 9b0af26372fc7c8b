"""The parts of a collector that its routes need: built once by its role and handed to every route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from litestar.di import NamedDependency

from collector.admission.addresses import Share
from collector.admission.bodies import Bodies
from collector.admission.turns import LargeBatches
from collector.banners.desk import BannerDesk
from collector.banners.stream_token import StreamTokens
from collector.feedback.address_notes import AddressNotes
from collector.ingest import Ingest
from collector.metrics import CollectorMetrics
from collector.platforms.requests import ErasureQueue
from collector.rate import RateLimit
from collector.sites import Sites
from warehouse.connection import Warehouse
from warehouse.journal.group_commit import JournalThread
from warehouse.message_token import MessageTokens
from warehouse.threads import Threads

#: Questions of requests that ClickHouse answers at the same time, and those that may wait.
READERS: Final = 4
MAX_WAITING_READS: Final = 32


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


def _public_reads() -> Threads:
    return Threads("public read", READERS, MAX_WAITING_READS)


def open_streams(most_each: int = 0) -> Share:
    """Return a count of the open streams of each address, which may have so many; 0 for no limit."""
    return Share(most_each, "too_many_streams", "pages of this address have too many streams open")


class Bounds(msgspec.Struct, frozen=True):
    """What senders may have under way, beside the rate of their addresses.

    Args:
        site_rate: what all senders of one site may cost.
        bodies: reads bodies.
        large: takes large batches one after another.
        reads: asks ClickHouse for the answers to requests.
        streams: the open streams of each address.
        event_max_age_ms: how long ago an event may have happened, unless it is imported; 0 for any time.
    """

    site_rate: RateLimit = msgspec.field(default_factory=lambda: RateLimit(0, 1))
    bodies: Bodies = msgspec.field(default_factory=Bodies)
    large: LargeBatches = msgspec.field(default_factory=LargeBatches)
    reads: Threads = msgspec.field(default_factory=_public_reads)
    streams: Share = msgspec.field(default_factory=open_streams)
    event_max_age_ms: int = 0


class CollectorParts(msgspec.Struct, frozen=True):
    """The parts of one collector; `now_ms` is its clock and returns epoch ms."""

    settings: CollectorSettings
    sites: Sites
    ingest: Ingest
    journal: JournalThread
    addresses: AddressNotes
    warehouse: Warehouse
    desk: BannerDesk
    tokens: StreamTokens
    message_tokens: MessageTokens
    rate: RateLimit
    metrics: CollectorMetrics
    now_ms: Callable[[], int]
    callbacks: CallbackSettings = CallbackSettings()
    bounds: Bounds = msgspec.field(default_factory=Bounds)
    erasures: ErasureQueue = msgspec.field(default_factory=ErasureQueue)


#: The type by which a route asks for the parts.
CurrentParts = NamedDependency[CollectorParts]
