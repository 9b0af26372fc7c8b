from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from warehouse.dsn import DEFAULT_DATABASE, Dsn, parse_dsn
from warehouse.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clickhouse://db.example", {"host": "db.example", "port": 8123, "database": DEFAULT_DATABASE}),
        ("clickhouse://db.example:9123/shop", {"host": "db.example", "port": 9123, "database": "shop"}),
        ("clickhouse://ada:s%40cret@db.example/shop", {"username": "ada", "password": "s@cret", "database": "shop"}),
        ("clickhouse://db.example/", {"username": "default", "password": "", "secure": False}),
        ("clickhouses://db.example/shop", {"port": 8443, "secure": True}),
        ("clickhouse://[::1]:8123/shop", {"host": "::1", "port": 8123}),
        ("chdb:///srv/clickhouse", {"path": "/srv/clickhouse", "database": DEFAULT_DATABASE}),
        ("chdb:///srv/clickhouse?database=other", {"path": "/srv/clickhouse", "database": "other"}),
    ],
)
def test_every_part_is_read(text: str, expected: dict[str, Any]) -> None:
    dsn = parse_dsn(text)
    assert {name: getattr(dsn, name) for name in expected} == expected


def test_a_path_that_starts_with_a_dot_is_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_dsn("chdb:///./var/clickhouse").path == str(tmp_path / "var" / "clickhouse")


@pytest.mark.parametrize(
    ("text", "embedded"), [("chdb:///srv/clickhouse", True), ("clickhouse://db.example/shop", False)]
)
def test_only_chdb_is_embedded(text: str, embedded: bool) -> None:
    assert parse_dsn(text).embedded is embedded


@pytest.mark.parametrize(
    "text",
    [
        "",
        "db.example:8123",
        "postgres://db.example/shop",
        "clickhouse://",
        "clickhouse:///shop",
        "clickhouse://db.example:port/shop",
        "clickhouse://db.example:99999/shop",
        "clickhouse://[::1/shop",
        "chdb://",
        "chdb:///",
        "chdb://var/clickhouse",
    ],
)
def test_what_names_no_clickhouse_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_dsn(text)
    assert "clickhouse:" in caught.value.message
    assert "chdb:///./var/clickhouse" in caught.value.hint


@pytest.mark.parametrize("shown", [str, repr, "{}".format])
def test_a_password_is_never_shown(shown: Any) -> None:
    text = shown(parse_dsn("clickhouse://ada:hunter2@db.example:8123/shop"))
    assert "hunter2" not in text
    assert "db.example:8123/shop" in text


@pytest.mark.parametrize(
    "text",
    [
        "clickhose://ada:hunter2@db.example/shop",
        "clickhouse://ada:hunter2@db.example:port/shop",
        "clickhouse://ada:hunter2@/shop",
        "chdb://ada:hunter2@db.example/shop",
        "clickhouse://ada:hunter2/@[db.example/shop",
    ],
)
def test_an_error_does_not_show_the_password_either(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_dsn(text)
    assert "hunter2" not in str(caught.value)


def test_the_embedded_engine_is_shown_with_folder_and_database() -> None:
    assert str(Dsn(engine="chdb", database="shop", path="/srv/clickhouse")) == "chdb:///srv/clickhouse (database shop)"
