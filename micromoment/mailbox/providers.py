"""The providers of the demo, which deliver to the inbox: an SMS API like Twilio's, and a chat's incoming webhook."""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx
import msgspec
from litestar import MediaType, Request, Response, Router, post
from litestar.background_tasks import BackgroundTask
from litestar.params import FromPath, JSONBody

from collector.feedback.sms_provider import Form, sms_signature
from micromoment.mailbox.store import TextStore

_AnyRequest = Request[Any, Any, Any]
_REPORT_SECONDS: Final = 10.0


class _ChatMessage(msgspec.Struct, frozen=True):
    """The body of a request to the incoming webhook of a chat."""

    text: str


def providers_router(store: TextStore) -> Router:
    """Return the routes that take messages from the worker's channels.

    Args:
        store: the store for the messages.
    """

    @post("/2010-04-01/Accounts/{account:str}/Messages.json", status_code=HTTPStatus.CREATED)
    async def take_sms(request: _AnyRequest, account: FromPath[str]) -> Response[dict[str, object]]:
        """Store a text message as Twilio accepts it, and report its delivery."""
        token = _password(request.headers.get("authorization", ""), account)
        if not token:
            return _problem(HTTPStatus.UNAUTHORIZED, 20003, "Authenticate")
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        if not form.get("To", "").startswith("+"):
            return _problem(HTTPStatus.BAD_REQUEST, 21211, "Invalid 'To' Phone Number")
        if not form.get("Body"):
            return _problem(HTTPStatus.BAD_REQUEST, 21602, "Message body is required.")
        kept = store.add("sms", form["Body"], form.get("From", ""), form["To"])
        sid = f"SM{kept.id:032x}"
        delivered = [("MessageSid", sid), ("MessageStatus", "delivered"), ("To", form["To"])]
        address = form.get("StatusCallback", "")
        report = BackgroundTask(report_status, address, token, delivered) if address else None
        content: dict[str, object] = {"sid": sid, "status": "queued", "to": form["To"]}
        return Response(content, status_code=HTTPStatus.CREATED, background=report)

    @post("/chat", status_code=HTTPStatus.OK, media_type=MediaType.TEXT)
    async def take_chat(data: JSONBody[_ChatMessage]) -> str:
        """Store a chat message as Slack accepts it."""
        store.add("chat", data.text)
        return "ok"

    return Router("/", route_handlers=[take_sms, take_chat])


async def report_status(address: str, token: str, form: Form) -> None:
    """Post a signed status report of a text message to the receiver, once.

    A receiver that does not answer misses the report, as with the real provider.

    Args:
        address: the address of the receiver, from `StatusCallback`.
        token: the auth token, which signs the report.
        form: the fields of the report.
    """
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": sms_signature(token, address, form),
    }
    async with httpx.AsyncClient(timeout=_REPORT_SECONDS) as client:
        try:
            await client.post(address, content=str(httpx.QueryParams(list(form))), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return


def _password(header: str, account: str) -> str:
    """Return the password of Basic credentials, or an empty text when the user is not the account."""
    try:
        user, _, password = base64.b64decode(header.removeprefix("Basic "), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return password if user == account else ""


def _problem(status: HTTPStatus, code: int, message: str) -> Response[dict[str, object]]:
    return Response({"code": code, "message": message, "status": status.value}, status_code=status)
