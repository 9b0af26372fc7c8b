"""The channels that the settings configure, and the links in messages that lead back to the collector."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

from micromoment.configuration.kept_secrets import read_push_key, read_secret
from micromoment.configuration.settings import Settings, SiteSettings, collector_url
from micromoment.configuration.site_money import site_money
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.delivery.channels.base import Channel
from trigger_worker.delivery.channels.email import EmailChannel, EmailSettings
from trigger_worker.delivery.channels.mail_links import MailLinks
from trigger_worker.delivery.channels.push import PushChannel, PushSettings, Revocations
from trigger_worker.delivery.channels.sms import SmsChannel, SmsSettings
from trigger_worker.delivery.channels.webhook import ChatChannel, ChatSettings, WebhookChannel, WebhookSettings
from trigger_worker.delivery.content.context import SiteContext
from trigger_worker.delivery.content.links import MessageLinks, SiteLinks, hosts_of
from trigger_worker.store.records import Records
from warehouse.message_token import MessageTokens


async def open_http_channels(
    settings: Settings, records: Records, stack: AsyncExitStack, now_ms: Callable[[], int]
) -> list[Channel]:
    """Open the configured channels that send over HTTP, until the stack is closed.

    Args:
        settings: the settings of the installation.
        records: records the push subscriptions that have ended.
        stack: the stack that closes the channels.
        now_ms: the clock, in epoch ms.

    Raises:
        ConfigurationError: the settings of a channel contradict each other, or hold no valid address or key.
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


def fixed_recipients(settings: Settings) -> Recipients:
    """Return the finder of recipients, which knows that webhooks and chat have one fixed address each."""
    return Recipients({"webhook": settings.webhook_url, "chat": "chat" if settings.chat_url else ""})


def email_channel(settings: Settings, now_ms: Callable[[], int], links: MailLinks | None = None) -> EmailChannel:
    """Return the channel `email`, not yet connected.

    Args:
        settings: the settings of the installation.
        now_ms: the clock, in epoch ms.
        links: adds tracking and unsubscribe links; None for a test message, which has none.
    """
    return EmailChannel(smtp_settings(settings), now_ms, links=links)


def smtp_settings(settings: Settings) -> EmailSettings:
    """Return the settings of the channel `email`: the SMTP server, its login and the sender."""
    return EmailSettings(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_sender,
        username=settings.smtp_username,
        password=settings.smtp_password,
        security=settings.smtp_security,
    )


def message_links(settings: Settings) -> MessageLinks:
    """Return the builder of the signed links in messages, which lead to the collector.

    Raises:
        ConfigurationError: the secret cannot be kept in the data folder.
    """
    tokens = MessageTokens(read_secret(settings))
    sites = {name: _site_links(site) for name, site in settings.sites.items()}
    return MessageLinks(collector_url(settings), tokens, sites)


def mail_links(settings: Settings, links: MessageLinks) -> MailLinks:
    """Return the editor of emails that adds tracking and unsubscribe links, as the settings permit."""
    return MailLinks(links, settings.email_tracking, settings.email_tracking_transactional)


def site_contexts(settings: Settings) -> dict[str, SiteContext]:
    """Return, by site, what templates may say of it.

    Raises:
        ConfigurationError: the currency of a site is none.
    """
    return {
        name: SiteContext(name=name, url=site.home, currency=site_money(settings, name).currency)
        for name, site in settings.sites.items()
    }


def content_hosts(settings: Settings) -> dict[str, frozenset[str]]:
    """Return, by site, the hosts that links and pictures of facts may lead to: the site's own, and those configured."""
    return {
        name: hosts_of((site.url, *site.origins)) | {host.lower() for host in site.content_hosts}
        for name, site in settings.sites.items()
    }


def _site_links(site: SiteSettings) -> SiteLinks:
    return SiteLinks(hosts_of((site.url, *site.origins)), asks_first=site.consent == "opt-in")


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
