"""`webhooks`: what to enter at each shop platform, configured or derived."""

from __future__ import annotations

import base64
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector.platforms.known import PLATFORMS
from micromoment.__main__ import cli
from micromoment.configuration.options import read_options
from micromoment.roles.collector import configured_sites
from tests.collector.messages import NOON
from warehouse.errors import ConfigurationError
from warehouse.webhook_signature import decode_secret, signature_headers

CONFIGURATION = """
secret = "of the installation"
public_url = "https://collector.example"
[sites.a]
write_key = "page-a"
[sites.a.webhooks.store]
platform = "shopify"
secret = "shown by Shopify"
shop = "acme.myshopify.com"
[sites.a.webhooks.woo]
platform = "woocommerce"
[sites.b]
write_key = "page-b"
[sites.b.webhooks.woo]
platform = "woocommerce"
[sites.b.webhooks.erp]
platform = "generic"
token = "a-token-that-was-chosen"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    configure(tmp_path, CONFIGURATION)
    return tmp_path


def configure(folder: Path, text: str) -> None:
    (folder / "micromoment.toml").write_text(text)


def shown(*arguments: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(cli, ["webhooks", "--format", "json", *arguments])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def test_each_webhook_has_an_address_of_its_own_which_stays() -> None:
    store, woo_a, woo_b, erp = found = shown()
    assert [each["url"].rpartition("/")[0] for each in found] == [
        f"https://collector.example/v1/webhooks/{name}" for name in ("store", "woo", "woo", "erp")
    ]
    assert woo_a["url"] != woo_b["url"]
    assert erp["url"].endswith("/a-token-that-was-chosen")
    assert min(len(each["url"].rpartition("/")[2]) for each in (store, woo_a, woo_b)) > 40
    assert shown("--site", "a") == [store, woo_a]


def test_the_secret_is_shown_where_the_shop_chooses_it_and_is_what_the_collector_believes() -> None:
    store, woo, _, erp = shown()
    sites = configured_sites(read_options({}))
    assert store["secret"] == ""
    assert "orders/create" in store["topics"]
    signature = base64.b64encode(hmac.digest(woo["secret"].encode(), b"{}", "sha256")).decode()
    (webhook,) = [each for each in _webhooks(sites, "a") if each.name == "woo"]
    assert PLATFORMS["woocommerce"].is_genuine(webhook, {"x-wc-webhook-signature": signature}, b"{}", NOON)
    headers = signature_headers(decode_secret(erp["secret"], "the secret"), "d-1", NOON // 1000, b"{}")
    (webhook,) = [each for each in _webhooks(sites, "b") if each.name == "erp"]
    assert PLATFORMS["generic"].is_genuine(webhook, headers, b"{}", NOON)


def _webhooks(sites: Any, name: str) -> Any:
    return sites.named(name).webhooks


def test_the_text_says_what_to_enter_where() -> None:
    result = CliRunner().invoke(cli, ["webhooks"])
    assert "site a, webhook store (shopify)" in result.output
    assert "secret   the one that shopify shows" in result.output
    assert "shown by Shopify" not in result.output
    assert "topics   order.created, order.updated" in result.output


def test_without_any_it_says_how_to_have_one(folder: Path) -> None:
    configure(folder, '[sites.a]\nwrite_key = "page-a"\n')
    assert "add [sites.NAME.webhooks.HOOK]" in CliRunner().invoke(cli, ["webhooks"]).output
    assert isinstance(CliRunner().invoke(cli, ["webhooks", "--site", "x"]).exception, ConfigurationError)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ('platform = "shopify"', "sites.a.webhooks.x.secret is missing"),
        ('platform = "magento"', "platform"),
        ('platform = "woocommerce"\ntoken = "a/b"', "sites.NAME.webhooks.NAME.token"),
        ('platform = "generic"\nsecret = "no standard secret"', "sites.a.webhooks.x.secret is not whsec_"),
        ('platform = "woocommerce"\nfields = {event = "x"}', "sites.a.webhooks.x.fields: woocommerce is understood"),
        ('platform = "generic"\nfields = {context = "a", "context.locale" = "b"}', "context is both a value and"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_their_place(folder: Path, settings: str, complaint: str) -> None:
    configure(folder, f'secret = "s"\n[sites.a]\nwrite_key = "page-a"\n[sites.a.webhooks.x]\n{settings}\n')
    result = CliRunner().invoke(cli, ["webhooks"])
    assert isinstance(result.exception, ConfigurationError)
    assert complaint in str(result.exception)
    assert "no standard secret" not in str(result.exception)


def test_two_webhooks_with_one_address_are_refused(folder: Path) -> None:
    hooks = "".join(
        f'[sites.{site}]\nwrite_key = "{site}"\n[sites.{site}.webhooks.x]\nplatform = "woocommerce"\n'
        f'token = "the-same-token-for-both"\n'
        for site in ("a", "b")
    )
    configure(folder, f'secret = "s"\n{hooks}')
    with pytest.raises(ConfigurationError, match="the address of a webhook"):
        configured_sites(read_options({}))
