"""Route of the webhooks of shop platforms: what a shop's own system tells of orders, carts and customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from litestar import post
from litestar.params import FromPath

from collector.errors import RequestError, malformed
from collector.feedback.callbacks import owners_of_address
from collector.intake.body import Batch
from collector.intake.draft import Drop, DropReason, EventWarning, Receipt
from collector.intake.mending import Repair, mend
from collector.intake.unwrapping import plain_json
from collector.parts import CollectorParts, CurrentParts
from collector.platforms.known import PLATFORMS
from collector.platforms.order_visitor import visitor_of_order
from collector.platforms.platform import Circumstances, Platform, PrivacyRequest, Translation, Who
from collector.platforms.requests import RETRY_AFTER_SECONDS
from collector.rate import batch_cost
from collector.routes.guards import AnyRequest, admit, read_headers
from collector.sites import ShopWebhook, Site
from warehouse.audit import store_audit
from warehouse.limits import MAX_LISTED

#: Who asks to erase, in the audit.
_ACTOR: Final = "webhook"
_log = structlog.get_logger("collector.webhooks")


class WebhookReply(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The answer to a delivery that was read: what it says is on disk, or was found to say nothing.

    Args:
        success: always true; a delivery that is to come again is answered with an error.
        kept: events that are on disk.
        dropped, dropped_more, warnings: as in the answer to a batch.
        note: what a person has to do about it, '' for nothing.
    """

    success: bool
    kept: int = 0
    dropped: list[Drop] = []
    dropped_more: int = 0
    warnings: list[EventWarning] = []
    note: str = ""


@post("/v1/webhooks/{name:str}/{token:str}", status_code=HTTPStatus.OK, summary="Take a webhook", tags=["webhooks"])
async def take_webhook(
    request: AnyRequest, parts: CurrentParts, name: FromPath[str], token: FromPath[str]
) -> WebhookReply:
    """Keep what a platform tells; 200 means that it is on disk, or says why it is no event."""
    found = parts.sites.with_webhook(name, token)
    if found is None:
        admit(request, parts)
        raise RequestError(HTTPStatus.NOT_FOUND, "unknown_webhook", "no webhook has this address")
    delivery = _Delivery(parts, *found, read_headers(request))
    body = await parts.bounds.bodies.read(request.receive, f"webhook:{found[0].name}:{name}")
    if delivery.platform.is_greeting(delivery.headers, body):
        return delivery.told("greeting")
    delivery.charge(len(body))
    try:
        delivery.require_genuine(body)
    except RequestError:
        admit(request, parts)
        raise
    return await delivery.keep(*_decoded(body))


class _Delivery:
    """One delivery of a platform to a webhook of a site."""

    def __init__(self, parts: CollectorParts, site: Site, webhook: ShopWebhook, headers: Mapping[str, str]) -> None:
        self.headers: Final = headers
        self.platform: Final[Platform] = PLATFORMS[webhook.platform]
        self._parts = parts
        self._site = site
        self._webhook = webhook
        self._envelope = self.platform.envelope(headers)

    def charge(self, size: int) -> None:
        """Count the delivery against its site, as all that comes for it.

        Raises:
            RequestError: 503, so that the platform sends it again: most give up at other answers.
        """
        cost = 1 + batch_cost(1, size)
        if wait := self._parts.bounds.site_rate.wait_seconds(self._site.name, self._parts.now_ms(), cost):
            message = f"site {self._site.name} sends more than it may"
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", message, wait)

    def require_genuine(self, body: bytes) -> None:
        """See that the body was signed with the webhook's secret, by the shop that it is for.

        Raises:
            RequestError: 401.
        """
        if not self.platform.is_genuine(self._webhook, self.headers, body, self._parts.now_ms()):
            message = f"the signature is not of this body and the secret of webhook {self._webhook.name}"
            raise RequestError(HTTPStatus.UNAUTHORIZED, "bad_signature", message)
        if self._webhook.shop and self._envelope.shop.lower() != self._webhook.shop.lower():
            message = f"webhook {self._webhook.name} is for another shop: see its setting `shop`"
            raise RequestError(HTTPStatus.UNAUTHORIZED, "unknown_shop", message)

    async def keep(self, payload: object, repairs: Sequence[Repair]) -> WebhookReply:
        """Keep what a payload becomes, do what it asks, and return the answer.

        Args:
            payload: what came.
            repairs: what had to be mended in it.

        Raises:
            RequestError: 503, it is to come again.
            MicromomentError: nothing was kept; it is to come again.
        """
        translation = self.platform.translate(self._envelope.topic, payload, await self._circumstances(payload))
        translation.warnings += [EventWarning("", reason, detail) for reason, detail in repairs]
        if translation.come_again:
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "not_yet", translation.come_again, RETRY_AFTER_SECONDS)
        note = await self._fulfil(translation.request) if translation.request else ""
        # A platform's times are taken as they stand: what it tells of a customer may be years old, and right.
        told = Receipt(self._parts.now_ms(), is_from_server=True)
        drops, warnings = await self._keep_messages(translation.messages, told)
        described = Receipt(self._parts.now_ms(), source="import")
        catalogue = await self._keep_messages(translation.catalogue, described)
        drops, warnings = drops + catalogue[0], warnings + catalogue[1]
        self._parts.ingest.note_unread(self._site, translation.drops, translation.warnings)
        kept = len(translation.messages) + len(translation.catalogue) - len(drops)
        outcome = _outcome(translation, kept, drops)
        return self.told(outcome, kept, [*translation.drops, *drops], [*translation.warnings, *warnings], note)

    def told(
        self,
        outcome: str,
        kept: int = 0,
        drops: Sequence[Drop] = (),
        warnings: Sequence[EventWarning] = (),
        note: str = "",
    ) -> WebhookReply:
        """Count what became of the delivery, and return the answer that says so."""
        self._parts.metrics.webhooks.labels(self._site.name, self._webhook.name, outcome).inc()
        more = max(0, len(drops) - MAX_LISTED)
        return WebhookReply(
            success=True,
            kept=kept,
            dropped=list(drops[:MAX_LISTED]),
            dropped_more=more,
            warnings=list(warnings[:MAX_LISTED]),
            note=note,
        )

    async def _circumstances(self, payload: object) -> Circumstances:
        parts, owner = self._parts, Who()
        if order_id := self.platform.order_wanted(self._envelope.topic, payload):
            owner = await parts.bounds.reads.run(visitor_of_order, parts.warehouse, self._site.name, order_id)
        now_ms, max_age_ms = parts.now_ms(), parts.bounds.event_max_age_ms
        oldest = now_ms - max_age_ms if max_age_ms else 0
        return Circumstances(self._site, self._webhook, now_ms, oldest, owner, self._envelope.delivery)

    async def _keep_messages(
        self, messages: Sequence[Mapping[str, Any]], receipt: Receipt
    ) -> tuple[list[Drop], list[EventWarning]]:
        if not messages:
            return [], []
        batch = Batch([msgspec.Raw(msgspec.json.encode(message)) for message in messages])
        acknowledgement = await self._parts.ingest.take(batch, self._site, receipt)
        return acknowledgement.drops, acknowledgement.warnings

    async def _fulfil(self, request: PrivacyRequest) -> str:
        """Do what is asked about a person's data, or note what a person has to do; return that."""
        parts, site = self._parts, self._site.name
        if request.kind == "erase":
            visitors = {request.user_id} - {""}
            if request.email:
                owners = await parts.bounds.reads.run(owners_of_address, parts.warehouse, "email", request.email)
                visitors |= {owner.visitor_id for owner in owners if owner.site == site}
            for visitor_id in sorted(visitors):
                await parts.erasures.erase(site, visitor_id, _ACTOR)
            return ""
        detail = {"site": site, "webhook": self._webhook.name, "number": request.number}
        await parts.bounds.reads.run(store_audit, parts.warehouse, _ACTOR, request.kind, detail)
        remedy = _REMEDIES[request.kind]
        _log.warning("privacy_request", site=site, kind=request.kind, number=request.number, remedy=remedy)
        return remedy


_REMEDIES: Final[Mapping[str, str]] = {
    "data_request": "somebody has to hand over the data, by `micromoment export CUSTOMER --site SITE`",
    "shop_redact": "somebody has to erase what came from the shop, and take its site out of the settings",
}


def _outcome(translation: Translation, kept: int, drops: Sequence[Drop]) -> str:
    """Return what became of a delivery, in one word for the counter."""
    if translation.request is not None:
        return translation.request.kind
    if kept:
        return "kept"
    is_repeat = bool(drops) and all(drop.reason is DropReason.DUPLICATE for drop in drops)
    return "repeated" if is_repeat and not translation.drops else "dropped"


def _decoded(body: bytes) -> tuple[Any, Sequence[Repair]]:
    """Return the payload of a body, and what had to be mended in it.

    Raises:
        RequestError: 400, it cannot be read.
    """
    plain = plain_json(body)
    try:
        return msgspec.json.decode(plain), ()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        mended = mend(plain)
        if mended is None:
            raise malformed("the body is no JSON") from error
        return mended.value, mended.repairs
