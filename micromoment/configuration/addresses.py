"""Where others find the servers that the settings start."""

from __future__ import annotations

from micromoment.configuration.settings import Settings


def collector_url(settings: Settings) -> str:
    """Return the collector's address as pages, mails and providers reach it, without a slash at its end."""
    return settings.public_url.rstrip("/") or f"http://{shown_host(settings)}:{settings.collector_port}"


def shown_host(settings: Settings) -> str:
    """Return the host as people write it."""
    return "localhost" if settings.host in {"127.0.0.1", "0.0.0.0", "::1", "::"} else settings.host  # noqa: S104 - compared
