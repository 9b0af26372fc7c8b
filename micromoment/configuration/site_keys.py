"""The secrets of a site, configured or derived: by which the shop's server is believed, and signs user ids."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

from micromoment.configuration.kept_secrets import read_secret
from micromoment.configuration.settings import Settings, SiteSettings
from warehouse.errors import ConfigurationError

#: Fewest characters of a secret that an operator chooses.
MIN_LENGTH: Final = 20
#: Begins each server key that is derived, so that whoever finds one in a log or a repository knows it for a secret.
SERVER_KEY_PREFIX: Final = "mms_"


def server_keys(settings: Settings, site: str) -> tuple[str, ...]:
    """Return the server keys of a site, the current one first.

    The current one is the configured key, else derived from the secret of the installation.

    Raises:
        ConfigurationError: a key is too short, or the data folder cannot be written.
    """
    chosen = settings.sites[site]
    current = chosen.server_key or SERVER_KEY_PREFIX + _derived(settings, "server-key", site)
    return _checked(chosen, site, "server_key", (current, chosen.server_key_previous))


def identity_secrets(settings: Settings, site: str) -> tuple[bytes, ...]:
    """Return the keys by which a site's server signs user ids, the current one first, as HMAC takes them.

    The current one is the configured secret, else derived from the secret of the installation.

    Raises:
        ConfigurationError: a secret is too short, or the data folder cannot be written.
    """
    chosen = settings.sites[site]
    current = chosen.identity_secret or _derived(settings, "identity", site)
    texts = _checked(chosen, site, "identity_secret", (current, chosen.identity_secret_previous))
    return tuple(text.encode() for text in texts)


def webhook_token(settings: Settings, site: str, webhook: str) -> str:
    """Return the secret part of the address of a webhook: configured, else derived.

    Raises:
        ConfigurationError: the data folder cannot be written.
    """
    return settings.sites[site].webhooks[webhook].token or _derived(settings, f"webhook-token:{webhook}", site)


def webhook_secret(settings: Settings, site: str, webhook: str) -> str:
    """Return the secret that is derived for a webhook whose shop chooses it."""
    return _derived(settings, f"webhook-secret:{webhook}", site)


def _checked(chosen: SiteSettings, site: str, key: str, secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return the secrets that are there; the error about a short one does not repeat it."""
    for name in (key, f"{key}_previous"):
        if 0 < len(getattr(chosen, name)) < MIN_LENGTH:
            raise _too_short(f"sites.{site}.{name}")
    return tuple(secret for secret in secrets if secret)


def _too_short(key: str) -> ConfigurationError:
    return ConfigurationError(
        f"{key}: a secret has at least {MIN_LENGTH} characters",
        "remove it, so that one is derived, or choose one by `openssl rand -base64 32`",
    )


def _derived(settings: Settings, purpose: str, site: str) -> str:
    digest = hmac.digest(read_secret(settings), f"{purpose}:{site}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
