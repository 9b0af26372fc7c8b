"""Email, and the links that lead back from messages, as the settings want them."""

from __future__ import annotations

from micromoment.configuration.addresses import collector_url
from micromoment.configuration.secret import read_secret
from micromoment.configuration.settings import Settings, SiteSettings
from trigger_worker.delivery.channels.email import EmailSettings
from trigger_worker.delivery.channels.mail_links import MailLinks
from trigger_worker.delivery.content.links import MessageLinks, SiteLinks, hosts_of
from warehouse.message_token import MessageTokens


def smtp_settings(settings: Settings) -> EmailSettings:
    """Return the mail server, and how to talk to it."""
    return EmailSettings(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_sender,
        username=settings.smtp_username,
        password=settings.smtp_password,
        security=settings.smtp_security,
    )


def message_links(settings: Settings) -> MessageLinks:
    """Return what signs the addresses that lead back to messages.

    Raises:
        ConfigurationError: the secret cannot be kept.
    """
    tokens = MessageTokens(read_secret(settings))
    sites = {name: _site_links(site) for name, site in settings.sites.items()}
    return MessageLinks(collector_url(settings), tokens, sites)


def mail_links(settings: Settings, links: MessageLinks) -> MailLinks:
    """Return what adds those addresses to emails."""
    return MailLinks(links, settings.email_tracking, settings.email_tracking_transactional)


def _site_links(site: SiteSettings) -> SiteLinks:
    return SiteLinks(hosts_of((site.url, *site.origins)), asks_first=site.consent == "opt-in")
