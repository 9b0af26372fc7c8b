"""Web push: a notification for each browser that the visitor subscribed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from trigger_worker.deciding.recipient.push_subscription import PushSubscription, read_subscription
from trigger_worker.delivery.channels.base import OutboundMessage, wrong_content
from trigger_worker.delivery.channels.http_post import HttpChannel, HttpPost
from trigger_worker.delivery.channels.push_request import PushServices, PushSignature, encrypt, origin, push_headers
from trigger_worker.delivery.content.links import MessageLinks
from trigger_worker.delivery.content.model import PushContent
from warehouse.errors import DeliveryError, DeliveryUnavailable

#: Told that the subscription with this endpoint is no more.
Revoked = Callable[[OutboundMessage, str], Awaitable[None]]

_GONE: Final = frozenset({404, 410})


class PushSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to push.

    Args:
        key: the private key whose public half browsers subscribed with.
        contact: whom push services write to, `mailto:` or `https:`.
        services: those that may be written to, as `PushServices` reads them.
        timeout_s: how long one attempt may take in all, in seconds.
    """

    key: EllipticCurvePrivateKey
    contact: str
    services: str
    timeout_s: float = 10.0

    def __repr__(self) -> str:
        return f"PushSettings(contact={self.contact!r})"


class _Payload(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the service worker gets.

    Args:
        tag: lets a repeat take the place of what is shown already.
        report: where to say what became of it; empty of a visitor who may not be observed.
    """

    title: str
    tag: str
    report: str = ""
    text: str = ""
    icon: str = ""
    image: str = ""
    url: str = ""


class PushChannel(HttpChannel):
    """Pushes to every browser of the visitor. The message is sent once one of them has it.

    Args:
        settings: how to push.
        links: signs the addresses where service workers report.
        revoked: told of each subscription that its push service does not know any more.
        now_ms: the clock, in milliseconds since 1970.

    Raises:
        ConfigurationError: when the contact or a service is none.
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
        """Pushes one notification."""
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


def _most_hopeful(failures: Sequence[DeliveryError]) -> DeliveryError:
    """One browser that may take it later is worth another attempt."""
    return next((failure for failure in failures if isinstance(failure, DeliveryUnavailable)), failures[0])
