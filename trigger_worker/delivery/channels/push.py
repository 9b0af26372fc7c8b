"""The channel `push`: sends web push notifications to a person's browsers, and records subscriptions that ended."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from trigger_worker.deciding.recipient.push_subscription import PushSubscription, read_subscription
from trigger_worker.delivery.channels.base import OutboundMessage, wrong_content
from trigger_worker.delivery.channels.http_post import HttpChannel, HttpPost
from trigger_worker.delivery.channels.push_request import PushServices, PushSignature, encrypt, origin, push_headers
from trigger_worker.delivery.content.document import PushContent
from trigger_worker.delivery.content.links import MessageLinks
from trigger_worker.store.records import Records
from warehouse.errors import DeliveryError, DeliveryUnavailable, WarehouseError
from warehouse.event import EventRow
from warehouse.own_event import own_event
from warehouse.threads import Threads

#: Called with a message and the endpoint of a subscription that its push service no longer knows.
Revoked = Callable[[OutboundMessage, str], Awaitable[None]]

#: Statuses by which a push service says that a subscription no longer exists.
_GONE: Final = frozenset({404, 410})
#: The namespace of the ids of `push_unsubscribed` events.
_NAMESPACE: Final = uuid.UUID("6d6d7075-7368-7000-8000-000000000000")

_log = structlog.get_logger("trigger_worker.delivery.channels.push")


class PushSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The sender's key and the push services that are allowed.

    Args:
        key: the private key whose public half browsers subscribed with.
        contact: the address that push services write to, `mailto:` or `https:`.
        services: the push services that may be used, as `PushServices` reads them.
        timeout_s: the most time of one attempt, in seconds.
    """

    key: EllipticCurvePrivateKey
    contact: str
    services: str
    timeout_s: float = 10.0

    def __repr__(self) -> str:
        return f"PushSettings(contact={self.contact!r})"


class _Payload(msgspec.Struct, frozen=True, omit_defaults=True):
    """The JSON that the service worker of a page gets.

    Args:
        tag: the notification's tag; a repeat with the same tag replaces the notification that is shown already.
        report: the address to report showing and clicking to; '' for a person who may not be observed.
    """

    title: str
    tag: str
    report: str = ""
    text: str = ""
    icon: str = ""
    image: str = ""
    url: str = ""


class PushChannel(HttpChannel):
    """Pushes to every subscribed browser of the person; the message counts as sent once one push is taken.

    Args:
        settings: the sender's key and the allowed push services.
        links: signs the addresses to which service workers report.
        revoked: called for each subscription that its push service no longer knows.
        now_ms: returns the present, in epoch ms.

    Raises:
        ConfigurationError: the contact or a push service is invalid.
    """

    name: Final = "push"

    def __init__(
        self, settings: PushSettings, links: MessageLinks, revoked: Revoked, now_ms: Callable[[], int]
    ) -> None:
        super().__init__(HttpPost("push", settings.timeout_s, now_ms))
        self._signature = PushSignature(settings.key, settings.contact)
        self._services = PushServices(settings.services)
        self._links = links
        self._revoked = revoked
        self._now_ms = now_ms

    async def send(self, message: OutboundMessage) -> None:
        """Push one notification to every recipient.

        Raises:
            DeliveryUnavailable: no push was taken, and a push service may take it later.
            DeliveryError: no push will ever be taken, or the message is no notification.
        """
        content = message.content
        if not isinstance(content, PushContent):
            raise wrong_content("push", message)
        if not message.recipients:
            raise DeliveryError(f"push: message {message.message_id} has no browser to go to")
        payload = self._payload(message, content)
        subscriptions = map(read_subscription, message.recipients)
        tried = await asyncio.gather(*(self._try(message, content, payload, each) for each in subscriptions))
        failures = [failure for failure in tried if failure is not None]
        if len(failures) == len(tried):
            raise _most_hopeful(failures)

    async def _try(
        self, message: OutboundMessage, content: PushContent, payload: bytes, subscription: PushSubscription
    ) -> DeliveryError | None:
        try:
            await self._push(message, content, payload, subscription)
        except DeliveryError as error:
            return error
        return None

    async def _push(
        self, message: OutboundMessage, content: PushContent, payload: bytes, subscription: PushSubscription
    ) -> None:
        url = self._services.url(subscription.endpoint)
        if url is None:
            raise DeliveryError("push: the browser's push service is none of push_services", "add its host there")
        now_ms = self._now_ms()
        authorization = self._signature.header(origin(url), now_ms // 1000)
        left_s = (message.expires_at_ms - now_ms) // 1000
        headers = push_headers(message.message_id, content.urgency, left_s, authorization)
        answer = await self._http.post(url, encrypt(payload, subscription), headers, url.host)
        if answer.status in _GONE:
            await self._revoked(message, subscription.endpoint)
        if not answer.taken:
            raise self._http.refusal(answer, url.host)

    def _payload(self, message: OutboundMessage, content: PushContent) -> bytes:
        observed = self._links.may_observe(message.site, message.analytics)
        payload = _Payload(
            title=content.title,
            tag=message.message_id,
            report=self._links.push_report(message.token) if message.token and observed else "",
            text=content.text,
            icon=content.icon,
            image=content.image,
            url=content.url,
        )
        return msgspec.json.encode(payload)


class Revocations:
    """Stores `push_unsubscribed` for subscriptions that their push service no longer knows.

    A subscription whose event cannot be stored is found again by the next push.

    Args:
        records: stores the events.
        now_ms: returns the present, in epoch ms.
    """

    def __init__(self, records: Records, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._now_ms = now_ms
        self._threads = Threads("push", 1)

    async def record(self, message: OutboundMessage, endpoint: str) -> None:
        """Store that a subscription has ended; a failure to store it is logged.

        Args:
            message: the message that the push service refused.
            endpoint: the subscription's endpoint.

        Cost: one insert of one event.
        """
        try:
            await self._threads.run(self._records.store_events, [self._event(message, endpoint)])
        except WarehouseError as error:
            _log.warning("revocation_not_stored", message_id=message.message_id, error=error.message)

    def _event(self, message: OutboundMessage, endpoint: str) -> EventRow:
        return own_event(
            "push_unsubscribed",
            event_id=str(uuid.uuid5(_NAMESPACE, f"{message.message_id} {endpoint}")),
            site=message.site,
            visitor_id=message.visitor_id,
            at=self._now_ms(),
            properties={"endpoint": endpoint, "rule": message.rule, "channel": "push", "reason": "gone"},
            message_id=message.message_id,
        )


def _most_hopeful(failures: Sequence[DeliveryError]) -> DeliveryError:
    """Return a failure after which another attempt may succeed, if there is one, else the first failure."""
    return next((failure for failure in failures if isinstance(failure, DeliveryUnavailable)), failures[0])
