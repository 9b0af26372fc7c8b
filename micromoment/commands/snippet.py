"""The command `snippet`, which prints what goes into a shop's pages, filled in: ready to paste."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import click

from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings, collector_url
from micromoment.configuration.site_keys import identity_secrets
from micromoment.roles.demo import demo_defaults
from warehouse.errors import ConfigurationError

#: By the name of a place, the file of the SDK that goes there; pages of shops without a platform need two lines.
_FILES: Final = {
    "shopify-theme": "shopify-theme.liquid",
    "shopify-pixel": "shopify-pixel.js",
    "woocommerce": "micromoment-woocommerce.php",
}
_PAGE: Final = """\
<script>window.micromoment=window.micromoment||function(){(micromoment.q=micromoment.q||[]).push(arguments)}</script>
<script async src="__COLLECTOR____SCRIPT_PATH__" data-key="__WRITE_KEY__"></script>"""


@click.command()
@click.argument("place", type=click.Choice(["page", *_FILES]), default="page")
@click.option("--demo", is_flag=True, help="That of the demonstration.")
@click.option("--site", "site_name", help="The site; the only one unless given.")
@settings_options
def snippet(*, place: str, demo: bool, site_name: str | None, **options: Any) -> None:  # noqa: ANN401 - the settings
    """Print what to paste into PLACE of a shop: its pages, a Shopify theme or pixel, or a WooCommerce plugin."""
    settings = read_options(options, demo_defaults if demo else None)
    click.echo(_filled(_text(place), settings, _site(settings, site_name)))


def _text(place: str) -> str:
    if place not in _FILES:
        return _PAGE
    return files("sdk_js").joinpath("platforms", _FILES[place]).read_text(encoding="utf-8").rstrip("\n")


def _filled(text: str, settings: Settings, site: str) -> str:
    values = {
        "__COLLECTOR__": collector_url(settings),
        "__SCRIPT_PATH__": settings.script_path,
        "__WRITE_KEY__": settings.sites[site].write_key,
        "__IDENTITY_SECRET__": identity_secrets(settings, site)[0].decode(),
    }
    for place, value in values.items():
        if place in text:
            _require_plain(value)
            text = text.replace(place, value)
    return text


def _require_plain(value: str) -> None:
    """See that a value ends no text, script or tag that it is put into."""
    if not value.isprintable() or not value.isascii() or not set("'\"\\<>`{}").isdisjoint(value):
        raise ConfigurationError(
            "a key, a secret or an address of the site has quotes, brackets or the like, which cannot be pasted",
            "choose one of letters, digits, - and _",
        )


def _site(settings: Settings, name: str | None) -> str:
    if name is None and len(settings.sites) == 1:
        return next(iter(settings.sites))
    if name not in settings.sites:
        said = "say which site" if name is None else f"no site is named {name}"
        raise ConfigurationError(f"--site: {said}", f"there are {', '.join(settings.sites) or 'none'}")
    return name
