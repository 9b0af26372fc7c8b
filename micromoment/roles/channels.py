"""The channels over HTTP, as far as they are configured."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

from micromoment.configuration.push_key import read_push_key
from micromoment.configuration.settings import Settings
from micromoment.roles.mail import message_links
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.delivery.channels.base import Channel
from trigger_worker.delivery.channels.push import PushChannel, PushSettings, Revocations
from trigger_worker.delivery.channels.sms import SmsChannel, SmsSettings
from trigger_worker.delivery.channels.webhook import ChatChannel, ChatSettings, WebhookChannel, WebhookSettings
from trigger_worker.store.records import Records


def fixed_recipients(settings: Settings) -> Recipients:
    """Return who finds addresses: webhooks and chat go to one place each, if to any."""
    return Recipients({"webhook": settings.webhook_url, "chat": "chat" if settings.chat_url else ""})


async def open_http_channels(
    settings: Settings, records: Records, stack: AsyncExitStack, now_ms: Callable[[], int]
) -> list[Channel]:
    """Open the channels that post to somebody, until the stack is closed.

    Raises:
        ConfigurationError: a channel's settings make no sense.
    """
    links = message_links(settings)
    revoked = Revocations(records, now_ms).record
    channels: list[Channel] = [
        await stack.enter_async_context(PushChannel(_push(settings), links, revoked, now_ms)),
    ]
    if settings.webhook_url:
        webhook = WebhookSettings(url=settings.webhook_url, secret=settings.webhook_secret)
        channels.append(await stack.enter_async_context(WebhookChannel(webhook, now_ms)))
    if settings.sms_account:
        channels.append(await stack.enter_async_context(SmsChannel(_sms(settings), links, now_ms)))
    if settings.chat_url:
        channels.append(await stack.enter_async_context(ChatChannel(ChatSettings(url=settings.chat_url), now_ms)))
    return channels


def _sms(settings: Settings) -> SmsSettings:
    return SmsSettings(
        url=settings.sms_url,
        account=settings.sms_account,
        token=settings.sms_token,
        sender=settings.sms_sender,
    )


def _push(settings: Settings) -> PushSettings:
    return PushSettings(
        key=read_push_key(settings),
        contact=settings.push_contact,
        services=settings.push_services,
    )
