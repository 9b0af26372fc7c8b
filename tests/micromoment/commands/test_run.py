"""`up`, `collector` and `worker`, and the logs that they write."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner

from micromoment.__main__ import cli
from micromoment.commands.run import configure_logs
from micromoment.configuration.settings import Settings
from tests.micromoment.roles.installation import settings_in
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_for_programs_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format="json"))
    structlog.get_logger("warehouse.journal.lane").warning("insert_failed", waiting=3, text="a\nb")
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["logger"]) == ("insert_failed", "warning", "warehouse.journal.lane")
    assert (said["waiting"], said["text"]) == (3, "a\nb")
    assert said["timestamp"].endswith("Z")


def test_a_library_logs_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format="json"))
    try:
        raise KeyError("bug")
    except KeyError:
        logging.getLogger("some.library").exception("it failed: %s", "badly")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "it failed: badly"
    assert "KeyError" in json.loads(line)["exception"]


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_level="warning"))
    structlog.get_logger("collector").info("quiet")
    logging.getLogger("some.library").info("quiet")
    assert capsys.readouterr().err == ""


def test_a_line_for_people_names_the_event(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format="text"))
    structlog.get_logger("collector").warning("insert_failed", waiting=3)
    assert "insert_failed" in capsys.readouterr().err


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a command announces; it is asked to stop as soon as it has."""
    words: list[str] = []

    def echo(text: str) -> None:
        words.append(text)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("micromoment.commands.run.click.echo", echo)
    return words


def options(settings: Settings, warehouse: Warehouse) -> list[str]:
    """The settings as options of a command, on a database of the embedded engine."""
    names = [name for name in Settings.__struct_fields__ if name.endswith("_port")] + ["data_folder", "rules_folder"]
    given = {name: getattr(settings, name) for name in names}
    given["clickhouse"] = f"chdb://{warehouse.dsn.path}?database={warehouse.dsn.database}"
    return [text for name, value in given.items() for text in (f"--{name.replace('_', '-')}", str(value))]


def test_up_announces_the_collector_once_it_runs_and_ends_when_it_is_asked_to(
    embedded_warehouse: Warehouse, tmp_path: Path, announced: list[str]
) -> None:
    settings = settings_in(tmp_path)
    config = tmp_path / "micromoment.toml"
    config.write_text('[sites.shop]\nwrite_key = "k"\n')
    arguments = ["up", "--config", str(config), *options(settings, embedded_warehouse)]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    (words,) = announced
    assert words.startswith(f"collector http://localhost:{settings.collector_port} ")
    events = [json.loads(line)["event"] for line in result.stderr.splitlines()]
    assert events[0] == "warehouse_ready"
    assert "stopping" in events


def test_the_demo_announces_its_shop_and_its_inbox_and_has_rules_to_edit(
    embedded_warehouse: Warehouse, tmp_path: Path, announced: list[str]
) -> None:
    settings = settings_in(tmp_path)
    given = [*options(settings, embedded_warehouse), "--rules-folder", str(tmp_path / "var" / "demo" / "rules")]
    result = CliRunner().invoke(cli, ["up", "--demo", *given], catch_exceptions=False)
    assert result.exit_code == 0
    (words,) = announced
    for port in (settings.store_port, settings.mailbox_port, settings.collector_port):
        assert f"http://localhost:{port} " in words
    assert (tmp_path / "var" / "demo" / "rules" / "cart_abandoned.yaml").exists()
    assert result.stderr == ""


@pytest.mark.parametrize("role", ["collector", "worker"])
def test_a_role_alone_is_refused_the_embedded_engine(tmp_path: Path, announced: list[str], role: str) -> None:
    result = CliRunner().invoke(cli, [role, "--data-folder", str(tmp_path), "--clickhouse", f"chdb://{tmp_path}"])
    assert isinstance(result.exception, ConfigurationError)
    assert "the embedded engine serves one process" in result.exception.message
    assert announced == []


def test_up_without_a_site_tells_what_to_configure(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["up", *options(settings_in(tmp_path), embedded_warehouse)])
    assert isinstance(result.exception, ConfigurationError)
    assert "no site is configured" in result.exception.message
