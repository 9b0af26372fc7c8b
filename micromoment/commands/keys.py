"""The command `keys`, which shows the keys of the sites."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings
from micromoment.configuration.site_keys import server_keys
from warehouse.errors import ConfigurationError


class SiteKeys(msgspec.Struct, frozen=True):
    """The keys of a site.

    Args:
        site: the name of the site.
        write_key: public; goes into pages.
        server_key: secret; for the shop's server.
    """

    site: str
    write_key: str
    server_key: str


@click.command()
@click.option("--site", "site_name", help="The site; all sites unless given.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="One JSON a site.")
@settings_options
def keys(site_name: str | None, format_name: str, **options: Any) -> None:  # noqa: ANN401 - the settings
    """Show the keys of the sites: what goes into pages, and the secrets of the shop's server."""
    settings = read_options(options)
    for name in _sites(settings, site_name):
        shown = SiteKeys(name, settings.sites[name].write_key, server_keys(settings, name)[0])
        click.echo(msgspec.json.encode(shown).decode() if format_name == "json" else _text(shown))


def _sites(settings: Settings, name: str | None) -> list[str]:
    if name is None:
        return list(settings.sites)
    if name not in settings.sites:
        raise ConfigurationError(f"--site: no site is named {name}", f"there are {', '.join(settings.sites) or 'none'}")
    return [name]


def _text(keys: SiteKeys) -> str:
    return (
        f"site {keys.site}\n"
        f"  write key   {keys.write_key}   public: goes into pages\n"
        f"  server key  {keys.server_key}   secret: for the shop's server"
    )
