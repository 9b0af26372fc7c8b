"""The row of a stored event, how its times are written, and for how many days it is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal

import msgspec

#: Days for which an event is kept where its site does not say.
DEFAULT_RETENTION_DAYS: Final = 400


class EventRow(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A row of `events`; an absent value is '' or None and is not written.

    Times are UTC text, `YYYY-MM-DD HH:MM:SS.mmm`; `props` is JSON text. `untimed` is 1 where
    it is not known when the event happened: `ts` is its receipt then. `ingested_at` is ClickHouse's to stamp.
    """

    site: str
    event: str
    type: str
    event_id: str
    visitor_id: str
    ts: str
    received_at: str
    source: Literal["live", "import"]
    anonymous_id: str = ""
    user_id: str = ""
    session_id: str = ""
    seq: int = 0
    path: str = ""
    url: str = ""
    title: str = ""
    referrer: str = ""
    page_type: str = ""
    product_id: str = ""
    name: str = ""
    category: str = ""
    price: float | None = None
    quantity: float | None = None
    value: float | None = None
    currency: str = ""
    foreign_currency: str = ""
    order_id: str = ""
    coupon: str = ""
    search_term: str = ""
    results: float | None = None
    duration_ms: float | None = None
    depth_pct: float | None = None
    message_id: str = ""
    device: str = ""
    os: str = ""
    browser: str = ""
    country: str = ""
    region: str = ""
    timezone: str = ""
    locale: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    props: str = ""
    untimed: int = 0
    retention_days: int = DEFAULT_RETENTION_DAYS


def format_time(epoch_ms: int) -> str:
    """Return an instant as ClickHouse writes a `DateTime64(3, 'UTC')`.

    Args:
        epoch_ms: the instant, in ms since 1970 in UTC.
    """
    second, ms = divmod(epoch_ms, 1000)
    return f"{_format_second(second)}.{ms:03d}"


@lru_cache(maxsize=1024)
def _format_second(epoch_s: int) -> str:
    # Events of one moment share their second, and formatting it is most of the work.
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(" ")[:19]


def epoch_ms(moment: datetime) -> int:
    """Return a datetime as epoch ms; a naive datetime is taken as UTC.

    Sub-millisecond digits are cut, exactly, without passing through a float.
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def epoch_of(text: str) -> int:
    """Return the epoch ms of a time as rows write it, `YYYY-MM-DD HH:MM:SS.mmm` in UTC.

    Raises:
        ValueError: the text is no time.
    """
    return epoch_ms(datetime.fromisoformat(text))


def format_instant(at: int) -> str:
    """Return an instant, given as epoch ms, in the form `2026-11-22T12:00:00.000Z`."""
    # Several times as fast as strftime, and a replay writes a million of them.
    seconds = datetime.fromtimestamp(at // 1000, UTC).isoformat()[:19]
    return f"{seconds}.{at % 1000:03d}Z"


#: Events by which a visitor allowed or refused messages, and those of addresses that are dead. Were they forgotten with
#: other behaviour, a refusal would end though the visitor never took it back.
LASTING_EVENTS: Final = frozenset(
    {"consent", "subscribe", "unsubscribed", "email_bounced", "email_complained", "push_unsubscribed"}
)
#: ClickHouse counts a row's end in seconds until February 2106; more days would end before they began.
LASTING_DAYS: Final = 7_300


def kept_days(event: str, site_days: int) -> int:
    """Return for how many days from its receipt an event is kept.

    Args:
        event: the event's name.
        site_days: days for which the site keeps a visitor's behaviour.
    """
    return max(site_days, LASTING_DAYS) if event in LASTING_EVENTS else site_days
