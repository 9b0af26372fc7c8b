"""The command `keys`, which shows the keys of the sites."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings
from micromoment.configuration.site_keys import identity_secrets, server_keys
from micromoment.roles.demo import demo_defaults
from warehouse.errors import ConfigurationError


class SiteKeys(msgspec.Struct, frozen=True):
    """The keys of a site.

    Args:
        site: the name of the site.
        write_key: public; goes into pages.
        server_key: secret; for the shop's server.
        identity_secret: secret; by which the shop's server signs user ids.
        identity: the site's setting of this name.
    """

    site: str
    write_key: str
    server_key: str
    identity_secret: str
    identity: str


@click.command()
@click.option("--demo", is_flag=True, help="Those of the demonstration.")
@click.option("--site", "site_name", help="The site; all sites unless given.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="One JSON a site.")
@settings_options
def keys(*, demo: bool, site_name: str | None, format_name: str, **options: Any) -> None:  # noqa: ANN401 - the settings
    """Show the keys of the sites: what goes into pages, and the secrets of the shop's server."""
    settings = read_options(options, demo_defaults if demo else None)
    for name in _sites(settings, site_name):
        shown = _keys_of(settings, name)
        click.echo(msgspec.json.encode(shown).decode() if format_name == "json" else _text(shown))


def _sites(settings: Settings, name: str | None) -> list[str]:
    if name is None:
        return list(settings.sites)
    if name not in settings.sites:
        raise ConfigurationError(f"--site: no site is named {name}", f"there are {', '.join(settings.sites) or 'none'}")
    return [name]


def _keys_of(settings: Settings, name: str) -> SiteKeys:
    site, secret = settings.sites[name], identity_secrets(settings, name)[0].decode()
    return SiteKeys(name, site.write_key, server_keys(settings, name)[0], secret, site.identity)


def _text(keys: SiteKeys) -> str:
    return (
        f"site {keys.site}\n"
        f"  write key        {keys.write_key}   public: goes into pages\n"
        f"  server key       {keys.server_key}   secret: for the shop's server\n"
        f"  identity secret  {keys.identity_secret}   secret: signs user ids (identity = {keys.identity})"
    )
