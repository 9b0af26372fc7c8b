"""The webhooks of a site, as the collector takes them: addresses and secrets from the settings, or derived."""

from __future__ import annotations

import base64
from typing import Final

from collector.platforms.known import PLATFORMS
from collector.sites import ShopWebhook
from micromoment.configuration.settings import Settings, ShopWebhookSettings, collector_url
from micromoment.configuration.site_keys import webhook_secret, webhook_token
from warehouse.errors import ConfigurationError
from warehouse.webhook_signature import decode_secret

_GENERIC: Final = "generic"


def shop_webhooks(settings: Settings, site: str) -> tuple[ShopWebhook, ...]:
    """Return the webhooks of a site.

    Raises:
        ConfigurationError: a secret is missing or is none, a token is too short, or fields are mapped that cannot be.
    """
    return tuple(_webhook(settings, site, name) for name in settings.sites[site].webhooks)


def webhook_url(settings: Settings, webhook: ShopWebhook) -> str:
    """Return the address that the platform posts to."""
    return f"{collector_url(settings)}/v1/webhooks/{webhook.name}/{webhook.token}"


def chosen_secret(settings: Settings, site: str, name: str) -> str:
    """Return the secret by which the platform signs, as it is written there.

    Raises:
        ConfigurationError: the platform makes it, and it is not configured.
    """
    chosen = settings.sites[site].webhooks[name]
    if chosen.secret:
        return chosen.secret
    if not PLATFORMS[chosen.platform].shop_chooses_secret:
        raise ConfigurationError(
            f"sites.{site}.webhooks.{name}.secret is missing",
            f"copy the secret by which {chosen.platform} signs webhooks from its settings",
        )
    derived = webhook_secret(settings, site, name)
    return _as_standard(derived) if chosen.platform == _GENERIC else derived


def _webhook(settings: Settings, site: str, name: str) -> ShopWebhook:
    chosen, key = settings.sites[site].webhooks[name], f"sites.{site}.webhooks.{name}"
    _require_mapping(chosen, key)
    texts = (chosen_secret(settings, site, name), chosen.secret_previous)
    secrets = tuple(_key(chosen.platform, text, key) for text in texts if text)
    return ShopWebhook(name, chosen.platform, webhook_token(settings, site, name), secrets, chosen.shop, chosen.fields)


def _key(platform: str, secret: str, key: str) -> bytes:
    return decode_secret(secret, f"{key}.secret") if platform == _GENERIC else secret.encode()


def _as_standard(secret: str) -> str:
    """Return a derived secret as standardwebhooks.com writes one."""
    return f"whsec_{base64.b64encode(base64.urlsafe_b64decode(secret + '=')).decode()}"


def _require_mapping(chosen: ShopWebhookSettings, key: str) -> None:
    """See that fields are mapped only where they can be, and that no place lies inside another one's value."""
    if chosen.fields and chosen.platform != _GENERIC:
        raise ConfigurationError(f"{key}.fields: {chosen.platform} is understood as it is", "remove `fields`")
    inside = [place for place in chosen.fields if any(other.startswith(f"{place}.") for other in chosen.fields)]
    if inside:
        raise ConfigurationError(f"{key}.fields: {inside[0]} is both a value and an object", "name one of the two")
