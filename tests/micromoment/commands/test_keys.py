"""`keys`: the keys of each site, configured or derived."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from micromoment.__main__ import cli
from micromoment.configuration.settings import Settings, SiteSettings
from micromoment.configuration.site_keys import identity_secrets, server_keys
from warehouse.errors import ConfigurationError

CHOSEN = "a-server-key-that-was-chosen"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "micromoment.toml").write_text(
        f'secret = "of the installation"\n[sites.a]\nwrite_key = "page-a"\n'
        f'[sites.b]\nwrite_key = "page-b"\nserver_key = "{CHOSEN}"\n'
    )
    return tmp_path


def shown(*arguments: str) -> list[dict[str, str]]:
    result = CliRunner().invoke(cli, ["keys", "--format", "json", *arguments])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def test_each_site_has_its_own_keys_and_they_stay() -> None:
    first, second = shown()
    assert (first["site"], first["write_key"], second["server_key"]) == ("a", "page-a", CHOSEN)
    assert first["server_key"].startswith("mms_")
    assert len(first["server_key"]) > 40
    assert shown("--site", "a") == [first]


def test_text_says_which_is_public_and_which_is_secret() -> None:
    result = CliRunner().invoke(cli, ["keys", "--site", "b"])
    assert "page-b   public" in result.output
    assert f"{CHOSEN}   secret" in result.output


def test_the_demonstration_has_keys_too(folder: Path) -> None:
    (folder / "micromoment.toml").unlink()
    assert shown() == []
    (demo,) = shown("--demo")
    assert (demo["site"], demo["write_key"]) == ("demo", "demo-write-key")
    assert demo == shown("--demo")[0]


def test_a_site_that_is_not_there_is_an_error_that_lists_those_that_are() -> None:
    result = CliRunner().invoke(cli, ["keys", "--site", "c"])
    assert isinstance(result.exception, ConfigurationError)
    assert "a, b" in str(result.exception)


def test_each_site_signs_by_a_secret_of_its_own() -> None:
    first, second = shown()
    assert len({first["identity_secret"], second["identity_secret"], first["server_key"]}) == 3
    assert (first["identity"], len(first["identity_secret"])) == ("required", 43)


def test_the_secret_before_still_counts() -> None:
    site = SiteSettings(write_key="w", identity_secret="n" * 20, identity_secret_previous="o" * 20)
    assert identity_secrets(Settings(secret="s", sites={"a": site}), "a") == (b"n" * 20, b"o" * 20)


def test_a_derived_key_follows_from_the_secret_and_the_site() -> None:
    sites = {"a": SiteSettings(write_key="w"), "b": SiteSettings(write_key="v")}
    keys = {
        server_keys(Settings(secret=secret, sites=sites), site)[0] for secret in ("one", "two") for site in ("a", "b")
    }
    assert len(keys) == 4


@pytest.mark.parametrize("name", ["server_key", "server_key_previous", "identity_secret", "identity_secret_previous"])
def test_a_short_secret_is_refused_without_being_repeated(name: str) -> None:
    settings = Settings(secret="s", sites={"a": msgspec.convert({"write_key": "w", name: "hunter2"}, SiteSettings)})
    with pytest.raises(ConfigurationError, match=f"sites.a.{name}: .* at least 20 characters") as caught:
        (server_keys if name.startswith("server") else identity_secrets)(settings, "a")
    assert "hunter2" not in str(caught.value)
