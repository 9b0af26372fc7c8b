"""The contract of a platform: what proves its webhooks, and what its topics become."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, Protocol

import msgspec

from collector.intake.draft import Drop, DropReason, EventWarning, WarningReason, named_drop
from collector.platforms.fields import PayloadFields
from collector.sites import ShopWebhook, Site

#: Characters of a topic or field that a reply repeats.
_LONGEST_QUOTE: Final = 80
_LONGEST_DETAIL: Final = 200
#: The visitor of what is no visitor's.
_CATALOGUE: Final = "catalogue"


class Envelope(msgspec.Struct, frozen=True):
    """What the headers of a delivery say.

    Args:
        topic: what happened, such as `orders/create`.
        shop: the domain of the shop that sends, '' where the platform does not name it.
        delivery: the sender's id of the delivery, '' where what comes has ids of its own.
    """

    topic: str = ""
    shop: str = ""
    delivery: str = ""


class Who(msgspec.Struct, frozen=True):
    """The visitor of a message: a browser, a user, or both, which joins them.

    Args:
        anonymous_id: the browser.
        user_id: the user, as the platform names them.
        agreed: whether the visitor may be observed: a page writes its browser's id into an order only then.
    """

    anonymous_id: str = ""
    user_id: str = ""
    agreed: bool = False

    def __bool__(self) -> bool:
        return bool(self.anonymous_id or self.user_id)


class PrivacyRequest(msgspec.Struct, frozen=True):
    """What a platform asks about the data of a person, or of the whole shop.

    Args:
        kind: to erase a person, to hand over a person's data, or to erase a shop that left.
        user_id: the person, as the platform names them.
        email: the person's address: further visitors with it are theirs, too.
        number: the platform's number of the request, for the audit.
    """

    kind: Literal["erase", "data_request", "shop_redact"]
    user_id: str = ""
    email: str = ""
    number: str = ""


class Circumstances(msgspec.Struct, frozen=True):
    """What a translation may know beside the payload.

    Args:
        site: the site of the webhook.
        webhook: the webhook.
        now_ms: the collector's clock, epoch ms.
        oldest: orders from before this instant are history, epoch ms; 0 for none.
        owner: the visitor of the order that the payload is about, when it had to be looked up and is known.
        delivery: as in the envelope.
    """

    site: Site
    webhook: ShopWebhook
    now_ms: int
    oldest: int = 0
    owner: Who = Who()
    delivery: str = ""


class Translation:
    """What a delivery becomes: messages of our wire shape, and what of it became none, each with its reason."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        #: Messages about products rather than visitors: they are kept, and start no rule.
        self.catalogue: list[dict[str, Any]] = []
        self.drops: list[Drop] = []
        self.warnings: list[EventWarning] = []
        self.request: PrivacyRequest | None = None
        #: Why the delivery cannot be understood yet, and should come again; '' for no such reason.
        self.come_again = ""

    def say(self, kind: str, message_id: str, who: Who, at: str, **others: Any) -> None:  # noqa: ANN401 - JSON
        """Add a message; what is empty is left out.

        Args:
            kind: the type of the message, or, of a `track` message, `track:` and the name of its event.
            message_id: the same for every delivery that tells the same.
            who: the visitor.
            at: when it happened, as the platform writes it; '' for now.
            others: properties, traits and context.
        """
        message_type, _, event = kind.partition(":")
        if who.agreed:
            others["context"] = {**others.get("context", {}), "consent": {"analytics": True}}
        message = {
            "type": message_type,
            "event": event,
            "messageId": message_id,
            "anonymousId": who.anonymous_id,
            "userId": who.user_id,
            "timestamp": at,
            **others,
        }
        self.messages.append({name: value for name, value in message.items() if value not in ("", None, {})})

    def describe(self, message_id: str, at: str, facts: dict[str, Any]) -> None:
        """Add what the shop says of a product.

        Args:
            message_id: the same for every delivery that says the same.
            at: when it became so, as the platform writes it.
            facts: `product_id`, `name`, `price` and the like.
        """
        message = {"type": "track", "event": "product_updated", "messageId": message_id, "anonymousId": _CATALOGUE}
        self.catalogue.append({**message, "timestamp": at, "properties": facts})

    def drop(self, reason: DropReason, detail: str, message_id: str = "") -> None:
        """Note that something is kept as no event."""
        self.drops.append(named_drop(message_id, reason, detail))

    def drop_topic(self, topic: str, known: Iterable[str]) -> None:
        """Note that a topic is not understood."""
        detail = f"topic {topic[:_LONGEST_QUOTE]!r} is not understood; these are: {', '.join(known)}"
        self.drop(DropReason.UNKNOWN_TOPIC, detail)

    def warn(self, unread: Iterable[str]) -> None:
        """Note fields that could not be read."""
        label = next((message["messageId"] for message in (*self.messages, *self.catalogue)), "")
        self.warnings += [EventWarning(label, WarningReason.FIELD_UNREAD, text[:_LONGEST_DETAIL]) for text in unread]

    def warn_of_order(self, message_id: str, order_id: str) -> None:
        """Note that a refund is of an order that nobody told of."""
        detail = f"order {order_id[:_LONGEST_QUOTE]} was never told: its refund counts, and is nobody's"
        self.warnings.append(EventWarning(message_id, WarningReason.ORDER_UNKNOWN, detail))


class Platform(Protocol):
    """A platform that shops run on. Everything here is pure: no clock, no I/O."""

    @property
    def shop_chooses_secret(self) -> bool:
        """Return whether the shop chooses the secret itself, so that one can be derived for it."""

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics that are understood; none where what comes has no topic."""

    def envelope(self, headers: Mapping[str, str]) -> Envelope:
        """Return what the headers of a delivery say."""

    def is_genuine(self, webhook: ShopWebhook, headers: Mapping[str, str], body: bytes, now_ms: int) -> bool:
        """Tell whether a body was signed with a secret of the webhook."""

    def is_greeting(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether a request only asks whether somebody is there, unsigned and without content."""

    def order_wanted(self, topic: str, payload: object) -> str:
        """Return the id of the order whose visitor a translation needs, '' for none."""

    def translate(self, topic: str, payload: object, around: Circumstances) -> Translation:
        """Return what a payload becomes."""


def base64_signature_fits(webhook: ShopWebhook, signature: str, body: bytes) -> bool:
    """Tell in constant time whether a text is the HMAC-SHA256 of a body, in base64, by a secret of a webhook."""
    given = signature.strip().encode("latin-1", "replace")
    fits = [hmac.compare_digest(_signature(secret, body), given) for secret in webhook.secrets]
    return any(fits)


def _signature(secret: bytes, body: bytes) -> bytes:
    return base64.b64encode(hmac.digest(secret, body, "sha256"))


def object_of(payload: object, unread: list[str]) -> PayloadFields:
    """Return a payload as fields; one that is no object has none, and is noted."""
    if not isinstance(payload, dict):
        unread.append("the payload is not an object: passed over")
        return PayloadFields({}, "", unread)
    return PayloadFields(payload, "", unread)


#: Adds what the fields of a topic's payload tell to a translation.
Teller = Callable[[Translation, PayloadFields, Circumstances], None]


def translation_of(tellers: Mapping[str, Teller], topic: str, payload: object, around: Circumstances) -> Translation:
    """Return what a payload becomes on a platform that names a topic with each.

    Args:
        tellers: by topic.
        topic: that of the delivery; one that has no teller is dropped, and named.
        payload: what came.
        around: what may be known beside it.
    """
    unread: list[str] = []
    told, fields = Translation(), object_of(payload, unread)
    teller = tellers.get(topic)
    if teller is None:
        told.drop_topic(topic, tellers)
    else:
        teller(told, fields, around)
    told.warn(unread)
    return told
