"""The command `webhooks`, which shows where platforms post what they tell of a shop, and what to enter there."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from collector.platforms.known import PLATFORMS
from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings
from micromoment.roles.shop_webhooks import chosen_secret, shop_webhooks, webhook_url
from warehouse.errors import ConfigurationError


class WebhookAddress(msgspec.Struct, frozen=True):
    """What an operator enters at a platform.

    Args:
        site, webhook: of the settings.
        platform: the platform.
        url: the address that it posts to; whoever has it can only send what is signed.
        secret: by which the platform signs, where the shop chooses it; '' where the platform makes it.
        topics: those that are understood.
    """

    site: str
    webhook: str
    platform: str
    url: str
    secret: str
    topics: tuple[str, ...]


@click.command()
@click.option("--site", "site_name", help="The site; all sites unless given.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="One JSON each.")
@settings_options
def webhooks(*, site_name: str | None, format_name: str, **options: Any) -> None:  # noqa: ANN401 - the settings
    """Show the webhooks of the sites: the address and the secret to enter at the platform, and the topics to choose."""
    settings = read_options(options)
    if site_name is not None and site_name not in settings.sites:
        raise ConfigurationError(f"--site: no site is named {site_name}", "see [sites.NAME] in micromoment.toml")
    shown = [each for site in settings.sites if site_name in (None, site) for each in _addresses(settings, site)]
    for each in shown:
        click.echo(msgspec.json.encode(each).decode() if format_name == "json" else _text(each))
    if not shown:
        click.echo('no webhook is configured: add [sites.NAME.webhooks.HOOK] with platform = "shopify"', err=True)


def _addresses(settings: Settings, site: str) -> list[WebhookAddress]:
    return [
        WebhookAddress(
            site,
            webhook.name,
            webhook.platform,
            webhook_url(settings, webhook),
            chosen_secret(settings, site, webhook.name) if PLATFORMS[webhook.platform].shop_chooses_secret else "",
            PLATFORMS[webhook.platform].topics,
        )
        for webhook in shop_webhooks(settings, site)
    ]


def _text(address: WebhookAddress) -> str:
    secret = address.secret or f"the one that {address.platform} shows: it is in the settings"
    lines = [
        f"site {address.site}, webhook {address.webhook} ({address.platform})",
        f"  address  {address.url}",
        f"  secret   {secret}",
    ]
    if address.topics:
        lines.append(f"  topics   {', '.join(address.topics)}")
    return "\n".join(lines)
