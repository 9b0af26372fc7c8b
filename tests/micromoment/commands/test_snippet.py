"""`snippet`: what goes into a shop's pages, filled in."""

from __future__ import annotations

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from micromoment.__main__ import cli
from warehouse.errors import ConfigurationError

PLACES = ["page", "shopify-theme", "shopify-pixel", "woocommerce"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    configure(tmp_path, "page-key")
    return tmp_path


def configure(folder: Path, write_key: str, *others: str) -> None:
    sites = "".join(f'[sites.{name}]\nwrite_key = "{name}"\n' for name in others)
    (folder / "micromoment.toml").write_text(
        'public_url = "https://collector.example"\nscript_path = "/s/moment.js"\n'
        f'[sites.shop]\nwrite_key = "{write_key}"\nidentity_secret = "the-identity-secret-of-it"\n{sites}'
    )


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["snippet", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_left_to_fill_in(place: str) -> None:
    text = printed(place)
    for mark in ("__COLLECTOR__", "__WRITE_KEY__", "__IDENTITY_SECRET__", "__SCRIPT_PATH__"):
        assert mark not in text
    assert "https://collector.example" in text
    assert "page-key" in text


def test_the_secret_goes_only_where_servers_read_it() -> None:
    shown = [place for place in PLACES if "the-identity-secret-of-it" in printed(place)]
    assert shown == ["shopify-theme", "woocommerce"]


def test_a_site_has_to_be_named_where_there_are_several(folder: Path) -> None:
    configure(folder, "page-key", "other")
    assert 'data-key="other"' in printed("--site", "other")
    for arguments in ([], ["--site", "nobody"]):
        result = CliRunner().invoke(cli, ["snippet", *arguments])
        assert isinstance(result.exception, ConfigurationError)


@pytest.mark.parametrize("key", ["a'b", "<b>", "a`b", "{{a}}", "é"])
def test_a_key_that_would_end_its_place_is_refused(folder: Path, key: str) -> None:
    configure(folder, key)
    assert isinstance(CliRunner().invoke(cli, ["snippet"]).exception, ConfigurationError)


def test_the_plugin_is_valid_php() -> None:
    if shutil.which("php") is None:
        pytest.skip("no php on this machine")
    plugin = files("sdk_js").joinpath("platforms", "micromoment-woocommerce.php")
    checked = subprocess.run(["php", "-l", str(plugin)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
