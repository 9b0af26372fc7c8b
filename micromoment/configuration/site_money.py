"""The currency of a site, and its rates for others, checked."""

from __future__ import annotations

import msgspec

from micromoment.configuration.settings import Settings
from warehouse.currencies import CURRENCIES
from warehouse.errors import ConfigurationError


class SiteMoney(msgspec.Struct, frozen=True):
    """The currency that a site reckons in, '' for none, and by code what one unit of another is worth in it."""

    currency: str = ""
    rates: dict[str, float] = {}


def site_money(settings: Settings, name: str) -> SiteMoney:
    """Return the currency and the rates of a site.

    Raises:
        ConfigurationError: a code is none of ISO 4217, or there are rates and no currency that they lead to.
    """
    site = settings.sites[name]
    currency = _code(f"sites.{name}.currency", site.currency) if site.currency else ""
    rates = {_code(f"sites.{name}.rates", code): rate for code, rate in site.rates.items()}
    if rates and not currency:
        raise ConfigurationError(
            f"sites.{name}.rates: rates into which currency?", f'set sites.{name}.currency, such as "EUR"'
        )
    if rates.get(currency, 1.0) != 1.0:
        raise ConfigurationError(
            f"sites.{name}.rates: {currency} is the site's own currency, and has the rate 1", "remove that rate"
        )
    return SiteMoney(currency, rates)


def _code(key: str, text: str) -> str:
    code = text.strip().upper()
    if code not in CURRENCIES:
        raise ConfigurationError(f"{key}: {text!r} is no currency", "give a code of ISO 4217, such as EUR")
    return code
