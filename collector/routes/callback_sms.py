"""Routes of the SMS provider's callbacks: the end that a text message came to, and replies to one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import structlog
from litestar import MediaType, post
from litestar.params import FromPath

from collector.admission.addresses import address_of
from collector.errors import RequestError
from collector.feedback.address_notes import FACTS_OF_INTENT
from collector.feedback.callbacks import Owner, callback_event, message_event, owners_of_address
from collector.feedback.sms_provider import EVENTS_OF_INTENT, ReplyIntent, is_genuine_form, read_intent, read_status
from collector.parts import CollectorParts, CurrentParts
from collector.routes.guards import AnyRequest, admit, read_form, require_link

#: Tells the provider to send no answer: its own is enough.
_NO_ANSWER: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

_log = structlog.get_logger("collector.callbacks")


@post("/v1/callbacks/sms/{token:str}", status_code=HTTPStatus.OK, summary="Take an SMS status", tags=["callbacks"])
async def take_sms_status(request: AnyRequest, parts: CurrentParts, token: FromPath[str]) -> dict[str, bool]:
    """Keep `message_delivered` or `message_failed`; states on the way are ignored."""
    form = await _genuine_form(request, parts)
    link = require_link(parts, token, "callback")
    ended = read_status(form)
    if ended is not None:
        name, reason = ended
        row = message_event(name, link.token, link.site, parts.now_ms(), reason)
        await parts.ingest.keep(link.site, row, parts.now_ms())
    return {"success": True}


@post(
    "/v1/callbacks/sms",
    status_code=HTTPStatus.OK,
    summary="Take a reply to a text message",
    tags=["callbacks"],
    media_type=MediaType.XML,
)
async def take_sms_reply(request: AnyRequest, parts: CurrentParts) -> str:
    """Keep `unsubscribed` and `consent` of visitors who reply STOP or START; other replies are ignored."""
    form = await _genuine_form(request, parts)
    intent = read_intent(form)
    if intent is not None:
        sender = form.get("From", "")
        # Before visitors are looked for: the number itself is not written to any more, however many visitors name it.
        await parts.addresses.note_of_address("sms", sender, FACTS_OF_INTENT[intent], "sms_reply", parts.now_ms())
        owners = await parts.bounds.reads.run(owners_of_address, parts.warehouse, "phone", sender)
        for owner in owners:
            await _keep(parts, owner, intent, form.get("MessageSid", ""))
        _log.info("sms_reply", intent=intent, visitors=len(owners))
    return _NO_ANSWER


async def _keep(parts: CollectorParts, owner: Owner, intent: ReplyIntent, reply_id: str) -> None:
    site = parts.sites.named(owner.site)
    if site is None:
        return
    for name, properties in EVENTS_OF_INTENT[intent]:
        row = callback_event(name, site, owner.visitor_id, (reply_id,), parts.now_ms(), properties)
        await parts.ingest.keep(site, row, parts.now_ms())


async def _genuine_form(request: AnyRequest, parts: CollectorParts) -> dict[str, str]:
    """Return the fields of a form that the provider signed.

    Raises:
        RequestError: no provider is configured, or somebody else sent the form.
    """
    settings = parts.callbacks
    if not settings.sms_token:
        raise RequestError(HTTPStatus.NOT_FOUND, "not_configured", "no SMS provider is configured: set sms_token")
    address = address_of(request.scope, parts.settings.address_header)
    form = await read_form(request, parts, address)
    query = request.scope["query_string"].decode("latin-1")
    url = f"{settings.public_url}{request.scope['path']}{'?' if query else ''}{query}"
    if not is_genuine_form(settings.sms_token, url, form, request.headers.get("x-twilio-signature", "")):
        admit(request, parts)
        message = f"the signature is not the provider's for {url[:200]}; check sms_token and public_url"
        raise RequestError(HTTPStatus.FORBIDDEN, "bad_signature", message)
    return dict(form)
