"""Providers that post what became of messages, and what the collector keeps of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.feedback.sms_provider import sms_signature
from collector.parts import CallbackSettings, CollectorParts
from tests.collector.collector_parts import kept_rows
from tests.collector.messages import NOON, props
from warehouse.event import EventRow
from warehouse.message_token import MessageToken
from warehouse.webhook_signature import signature_headers

PUBLIC_URL = "https://collector.example"
SMS_TOKEN = "the auth token"
EMAIL_KEY = b"k" * 32
SETTINGS = CallbackSettings(PUBLIC_URL, SMS_TOKEN, EMAIL_KEY)
TOKEN = MessageToken("shop", "m-7", "cart_abandoned", "ada", "sms", variant="plain")


async def post_form(
    client: AsyncTestClient[Litestar], path: str, form: Mapping[str, str], signature: str | None = None
) -> Response:
    """Post as the SMS provider does; signed with its token unless said otherwise."""
    signature = sms_signature(SMS_TOKEN, PUBLIC_URL + path, list(form.items())) if signature is None else signature
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    return await client.post(path, content=urlencode(form), headers=headers)


async def post_report(
    client: AsyncTestClient[Litestar], report: object, webhook_id: str = "w-1", key: bytes = EMAIL_KEY
) -> Response:
    """Post as a mail provider does."""
    body = report if isinstance(report, bytes) else json.dumps(report).encode()
    headers = signature_headers(key, webhook_id, NOON // 1000, body)
    return await client.post("/v1/callbacks/email", content=body, headers=headers)


async def kept(parts: CollectorParts) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Return (event, visitor, message id, properties) of what the collector kept."""
    return [told(row) for row in await kept_rows(parts)]


def told(row: EventRow) -> tuple[str, str, str, dict[str, Any]]:
    return row.event, row.visitor_id, row.message_id, props(row)
