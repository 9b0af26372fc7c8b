from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from micromoment.configuration.loading import KEYS, load_settings
from micromoment.configuration.settings import Settings
from warehouse.errors import ConfigurationError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "micromoment.toml"


def test_nothing_set_is_the_default() -> None:
    assert load_settings(None, {}, {}) == Settings()


def test_command_line_wins_over_environment_over_file_over_demo_defaults(file: Path) -> None:
    file.write_text('host = "file"\ndata_folder = "file"\nredis = "file"')
    environment = {"MICROMOMENT_HOST": "environment", "MICROMOMENT_DATA_FOLDER": "environment", "PATH": "/bin"}
    flags = {"host": "flag", "data_folder": None}
    settings = load_settings(file, environment, flags, {"redis": "demo", "rules_folder": "demo"})
    assert (settings.host, settings.data_folder, settings.redis) == ("flag", "environment", "file")
    assert settings.rules_folder == "demo"


def test_text_is_read_as_the_keys_kind() -> None:
    environment = {"MICROMOMENT_COLLECTOR_PORT": "9000", "MICROMOMENT_RATE_PER_SECOND": "0.5"}
    settings = load_settings(None, environment, {"journal_max_bytes": "99000000"})
    assert (settings.collector_port, settings.rate_per_second, settings.journal_max_bytes) == (9000, 0.5, 99_000_000)


def test_sites_come_from_file_or_environment(file: Path) -> None:
    file.write_text('[sites.shop]\nwrite_key = "k"\norigins = ["https://shop.example"]\nconsent = "opt-in"')
    shop = load_settings(file, {}, {}).sites["shop"]
    assert (shop.write_key, shop.origins, shop.consent, shop.retention_days) == (
        *("k", ("https://shop.example",)),
        *("opt-in", 400),
    )
    environment = {"MICROMOMENT_SITES": '{"other": {"write_key": "o"}}'}
    assert list(load_settings(file, environment, {}).sites) == ["other"]


def test_variables_that_are_no_settings_are_left_alone() -> None:
    environment = {"MICROMOMENT_CONFIG": "x.toml", "MICROMOMENT_TEST_CLICKHOUSE": "clickhouse://localhost"}
    assert load_settings(None, environment, {}) == Settings()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colector_port = 1", ["unknown key colector_port", "did you mean collector_port"]),
        ("spool_max_events = 1", ["unknown key spool_max_events", "set `journal_max_bytes` instead"]),
        ("journal_max_bytes = 1000", ["journal_max_bytes", ">= 67108864"]),
        ("surprise = 1", ["unknown key surprise", "docs/configuration.md"]),
        ('collector_port = "many"', ["collector_port", "int"]),
        ("collector_port = 0", ["collector_port", ">= 1"]),
        ("collector_port = 70000", ["collector_port", "<= 65535"]),
        ("host = 7", ["host", "str"]),
        ('log_level = "loud"', ["log_level", "loud"]),
        ('script_path = "mm.js"', ["script_path"]),
        ("rate_per_second = -1", ["rate_per_second"]),
        ("[sites.shop]\norigins = []", ["sites", "write_key"]),
        ('[sites.shop]\nwrite_key = ""', ["sites", "write_key"]),
        ('[sites.shop]\nwrite_key = "k"\nconsent = "maybe"', ["sites", "consent", "maybe"]),
        ('[sites.shop]\nwrite_key = "k"\ncolour = "red"', ["sites", "colour"]),
        ("host == 1", ["TOML", "line 1"]),
    ],
)
def test_a_wrong_file_is_told_with_key_and_place(file: Path, text: str, says: list[str]) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, {}, {})
    for words in (str(file), *says):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"MICROMOMENT_COLECTOR_PORT": "1"}, "MICROMOMENT_COLECTOR_PORT"),
        ({"MICROMOMENT_COLLECTOR_PORT": "many"}, "MICROMOMENT_COLLECTOR_PORT"),
        ({"MICROMOMENT_SITES": "shop"}, "MICROMOMENT_SITES"),
        ({"MICROMOMENT_SITES": "[]"}, "MICROMOMENT_SITES"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(environment: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        load_settings(None, environment, {})


def test_a_wrong_option_is_told_by_its_key() -> None:
    with pytest.raises(ConfigurationError, match="command line: collector_port"):
        load_settings(None, {}, {"collector_port": "many"})


def test_a_file_that_is_not_there_is_an_error(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(file, {}, {})


def test_a_file_that_is_no_text_is_an_error(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="no valid TOML"):
        load_settings(file, {}, {})


@pytest.mark.parametrize("key", [key for key in KEYS if key != "sites"])
def test_every_key_is_a_variable_too(key: str) -> None:
    default: Any = getattr(Settings(), key)
    environment = {f"MICROMOMENT_{key.upper()}": str(default)}
    assert getattr(load_settings(None, environment, {}), key) == default
