"""The command line as a whole."""

from __future__ import annotations

import sys

import click
import pytest
from click.testing import CliRunner

from micromoment.__main__ import COMMANDS, cli, main


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_found_by_its_name_and_explains_itself(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.help


def test_the_list_of_commands_is_complete_and_in_order() -> None:
    shown = CliRunner().invoke(cli, ["--help"]).stdout
    listed = [line.split()[0] for line in shown.partition("Commands:")[2].splitlines() if line.strip()]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_a_command_that_is_not_there_is_told() -> None:
    result = CliRunner().invoke(cli, ["upp"])
    assert result.exit_code == 2
    assert "upp" in result.stderr


def test_the_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(cli, ["--version"]).stdout.startswith("micromoment, version ")


def test_an_error_is_told_with_its_remedy_and_ends_with_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["micromoment", "sql", "SELECT 1", "--clickhouse", "mysql://localhost"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("micromoment: ")
