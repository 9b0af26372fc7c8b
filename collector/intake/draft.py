"""An event on its way through the pipeline: its message, its request, the columns found so far, and its drop reason."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec

from collector.intake.sender_clock import RequestClocks
from collector.sites import Site
from warehouse.limits import MAX_TEXT_LENGTH
from warehouse.time_text import TimeTrouble

MessageType = Literal["track", "identify", "page", "screen", "group", "alias"]
#: An id as it came: a text or a number, or what a page sends where it has none, such as `false` or an object.
Identifier = Any
#: Who sends: whoever has the public write key, as every page does; the shop's server, by its secret key; an operator.
Sender = Literal["page", "server", "import"]


class Message(msgspec.Struct, frozen=True, rename="camel"):
    """One message of Segment's HTTP Tracking API, as unmodified SDKs send it; unknown keys are ignored."""

    type: MessageType
    event: str | None = None
    name: str | None = None
    category: Any = None
    message_id: Identifier = None
    anonymous_id: Identifier = None
    user_id: Identifier = None
    previous_id: Identifier = None
    group_id: Identifier = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None

    @property
    def label(self) -> str:
        """Return the message id as text, or '' when the sender gave none."""
        return text(self.message_id)


class Receipt(msgspec.Struct, frozen=True):
    """The facts of the request that brought an event.

    Args:
        received_at: the collector's clock when the request arrived, epoch ms.
        sent_at: the sender's clock when it sent the batch, as the batch says it.
        source: `live` for requests, `import` for history.
        is_from_server: whether the request came with the site's server key.
        browser_secret: what the sender shows as the secret of its browser, '' for nothing.
        user_agent: the header, '' for none.
        country: two letters from a trusted proxy's header, '' for none.
        opted_out: whether the browser sent Global Privacy Control or Do Not Track.
        oldest: what is said to have happened before this instant is given the time of its receipt, epoch ms; 0 takes
            any time as it stands.
        repairs: what was mended in what its events share: a reason and a detail for each.
    """

    received_at: int
    sent_at: str | int | float | None = None
    source: Literal["live", "import"] = "live"
    is_from_server: bool = False
    browser_secret: str = ""
    user_agent: str = ""
    country: str = ""
    opted_out: bool = False
    oldest: int = 0
    repairs: tuple[tuple[WarningReason, str], ...] = ()

    @property
    def sender(self) -> Sender:
        """Return who sends the events of this request."""
        if self.source == "import":
            return "import"
        return "server" if self.is_from_server else "page"


class Times(msgspec.Struct, frozen=True):
    """The times that all events of a request share, read once.

    Args:
        received_at: when it arrived, as a row says it.
        sent_at: when it was sent by the sender's clock, epoch ms; why that cannot be read; None when it does not say.
    """

    received_at: str
    sent_at: int | TimeTrouble | None


class DropReason(StrEnum):
    """Why an event was not kept: a closed set; each has its line in `remedies` and in `docs/faults.md`."""

    MALFORMED = "malformed"  #: not a message of the tracking API; the detail says where
    NO_NAME = "no_name"  #: a track call without an event name
    RESERVED = "reserved"  #: a name that this sender may not use; the detail says who may
    UNSUPPORTED = "unsupported"  #: an event of a kind that is of no use here, such as a session recording
    NO_VISITOR = "no_visitor"  #: neither anonymousId nor userId
    BAD_ID = "bad_id"  #: an id longer than 128 characters
    IDENTITY_UNPROVEN = "identity_unproven"  #: a page names a user without the shop's signature, and no browser
    BROWSER_UNPROVEN = "browser_unproven"  #: a page names a browser whose secret it does not show
    NO_TIMESTAMP = "no_timestamp"  #: a line of an import without a time that can be read
    NO_CONSENT = "no_consent"  #: the visitor refused, or never agreed where agreement is needed
    TOO_LARGE = "too_large"  #: more than 32 KiB as stored
    TOO_MANY = "too_many"  #: beyond the 2,500 events of one batch
    TOO_FAST = "too_fast"  #: beyond what one visitor may send in a minute
    ERASED = "erased"  #: from before the erasure of its visitor, or about a message to them
    TOO_OLD = "too_old"  #: a webhook's order of before event_max_age_days, which is history
    UNPAID = "unpaid"  #: a webhook's order that nobody has paid yet; its payment is told by a later webhook
    UNKNOWN_TOPIC = "unknown_topic"  #: a webhook of a topic that nothing here understands
    TOLD_ELSEWHERE = "told_elsewhere"  #: a webhook of what another webhook tells
    DUPLICATE = "duplicate"  #: this messageId was acknowledged before; it is stored already


class Drop(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One event that was not kept.

    Args:
        message_id: the sender's id of it, '' when it gave none.
        reason: from the closed set.
        detail: what a developer needs to mend it.
    """

    message_id: str
    reason: DropReason
    detail: str = ""


class WarningReason(StrEnum):
    """Why an event was not kept as it was sent: a closed set; each has its line in `remedies` and `docs/faults.md`."""

    IDENTITY_UNPROVEN = "identity_unproven"  #: the user id is not signed; the event is its browser's alone
    FIELD_UNREAD = "field_unread"  #: a field of a webhook has another type than its platform documents
    ORDER_UNKNOWN = "order_unknown"  #: a refund by webhook of an order that nobody told of: it counts, and is nobody's
    TEXT_REPAIRED = "text_repaired"  #: half a character, or bytes that are no UTF-8, in a text: now U+FFFD
    NUMBER_REPAIRED = "number_repaired"  #: NaN, Infinity or a number beyond all floats: now null
    JSON_REPAIRED = "json_repaired"  #: a comma too many, `undefined`, a bare line break in a text: read all the same
    CONSENT_UNREADABLE = "consent_unreadable"  #: an answer about consent is in no known words; it is taken as a no
    NUMBER_UNREADABLE = "number_unreadable"  #: a price, quantity or value may be one of two numbers, or is none
    ID_IS_NONE = "id_is_none"  #: an id, or an address, is a placeholder such as "undefined"; it is passed over
    TOO_OLD = "too_old"  #: said to have happened longer ago than a page may say; it has the time of its receipt
    ORDER_WITHOUT_ID = "order_without_id"  #: a purchase or refund that names no order, so that a repeat counts again
    REFUND_WITHOUT_VALUE = "refund_without_value"  #: it names items without prices; it counts as the whole order
    CURRENCY_UNKNOWN = "currency_unknown"  #: no code of ISO 4217, and no sign that stands for one
    CURRENCY_WITHOUT_RATE = "currency_without_rate"  #: not the site's currency, and the site has no rate for it
    TIME_UNREADABLE = "time_unreadable"  #: a time in no form that is read, or of no possible year
    ZONE_UNKNOWN = "zone_unknown"  #: the context's time zone has no name that is known; it is kept, and read as UTC
    CLOCK_SKEWED = "clock_skewed"  #: the sender's clock is a minute off or more; times are corrected


class EventWarning(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One event that was kept, but not as it was sent.

    Args:
        message_id: the sender's id of it, '' when it gave none.
        reason: from the closed set.
        detail: what a developer needs to mend it.
    """

    message_id: str
    reason: WarningReason
    detail: str = ""


#: Characters of a message id and of a detail that are told: they may repeat what was sent.
_LONGEST_LABEL: Final = 256
_LONGEST_DETAIL: Final = 200
_EMPTY: Final[Mapping[str, Any]] = {}


class Draft(msgspec.Struct):
    """An event half made, on which every step of the pipeline writes what it found.

    Args:
        message: as it arrived.
        site: the site whose write key came with it.
        receipt: the facts of its request.
        times: the times of its request.
        context: the batch's context with the message's own over it.
        props: properties that have no column of their own yet; a step that changes them replaces them, because they
            begin as the message's own.
        traits: those of an identify or group call, as `props`.
        columns: columns of `events` found so far; '' and None are absent.
        clocks: corrects the times of clients whose clocks are wrong.
        is_signed: whether the shop's server has signed the user id.
        claimed_user_id: a user id that is noted as a claim, '' for none.
        told_as: the event's id before it was named by its order, '' for any other event.
        warnings: why the event is not kept as it was sent.
        judged: what became of ids earlier in the batch, by the ids and their proofs.
    """

    message: Message
    site: Site
    receipt: Receipt
    times: Times
    context: Mapping[str, Any]
    props: dict[str, Any]
    columns: dict[str, Any]
    clocks: RequestClocks
    traits: dict[str, Any] = {}
    is_signed: bool = False
    claimed_user_id: str = ""
    told_as: str = ""
    warnings: tuple[EventWarning, ...] = ()
    judged: dict[tuple[str, str, str, bool], Any] = msgspec.field(default_factory=dict)

    def section(self, name: str) -> Mapping[str, Any]:
        """Return an object inside the context, or an empty one."""
        value = self.context.get(name)
        return value if isinstance(value, dict) else _EMPTY

    def dropped(self, reason: DropReason, detail: str = "") -> Drop:
        """Return the record that this event is not kept."""
        return named_drop(self.message.label, reason, detail)

    def warn(self, reason: WarningReason, detail: str) -> None:
        """Note that this event is not kept as it was sent."""
        warning = EventWarning(self.message.label[:_LONGEST_LABEL], reason, detail[:_LONGEST_DETAIL])
        self.warnings = (*self.warnings, warning)


def named_drop(label: str, reason: DropReason, detail: str) -> Drop:
    """Return the record that an event is not kept, no longer than it needs to be to mend it."""
    return Drop(label[:_LONGEST_LABEL], reason, detail[:_LONGEST_DETAIL])


def text(value: object) -> str:
    """Return an identifier as trimmed text, a whole number without its `.0`, and any other value as ''."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def short_text(value: object) -> str:
    """Return what `text` does, cut to the length of a text column."""
    return (value.strip() if isinstance(value, str) else text(value))[:MAX_TEXT_LENGTH]
