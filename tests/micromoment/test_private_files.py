"""What an installation stores belongs to the user that runs it, whatever the umask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from micromoment.__main__ import cli
from micromoment.configuration.private_files import close_to_others
from micromoment.configuration.settings import Settings
from tests.micromoment.commands.running import running
from tests.warehouse.journal.journals import line
from warehouse.journal.folder import JournalFolder
from warehouse.journal.log import Journal
from warehouse.journal.tables import EVENTS, RowSetAside


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A shell that gives every right to everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """Return what is in a folder, and the folder, as far as others have rights to it."""
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.lstat().st_mode & 0o777 for path in paths if path.exists() and not path.is_symlink()}
    return [f"{path.relative_to(folder.parent)} {mode:o}" for path, mode in modes.items() if mode & 0o077]


@pytest.mark.usefixtures("open_umask")
def test_nothing_of_a_running_product_is_open_to_others(tmp_path: Path) -> None:
    with running(tmp_path) as product:
        product.sends("hover", "anna")
        assert product.has("SELECT count() FROM events")
        assert {"clickhouse", "journal", "run", "secret", "push.key"} <= {
            path.name for path in (tmp_path / "var").iterdir()
        }
        assert open_to_others(tmp_path / "var") == []
    assert open_to_others(tmp_path / "var") == []


@pytest.mark.usefixtures("open_umask")
def test_no_file_of_a_journal_is_open_to_others(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.append(EVENTS, [line("1"), line("2")], 1_795_348_800_000, [b"1", b"2"])
        journal.commit()
        batch = journal.take(EVENTS, 10)
        assert batch is not None
        journal.commit()
        journal.finish(batch, [RowSetAside(batch.lines[0], "refused")])
        journal.commit()
    with JournalFolder(tmp_path / "journal") as folder:
        folder.set_aside("salt", keep=True)
    assert len(list((tmp_path / "journal").rglob("*"))) > 5
    assert open_to_others(tmp_path / "journal") == []


@pytest.mark.usefixtures("open_umask")
def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    var = tmp_path / "var"
    for folder in ("clickhouse", "demo", "journal-worker"):
        (var / folder).mkdir(parents=True)
    (var / "secret").touch()
    (var / "of the operator").touch()
    close_to_others(Settings(data_folder=str(var), clickhouse=f"chdb://{var / 'clickhouse'}"))
    closed = [path.name for path in sorted(var.iterdir()) if not path.stat().st_mode & 0o077]
    assert closed == ["clickhouse", "demo", "journal-worker", "secret"]


def test_a_new_configuration_is_its_users_alone_and_rules_are_as_the_shell_says(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        assert CliRunner().invoke(cli, ["init", str(tmp_path / "shop")]).exit_code == 0
    finally:
        os.umask(before)
    assert (tmp_path / "shop" / "micromoment.toml").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "shop" / "policy.yaml").stat().st_mode & 0o777 == 0o644
