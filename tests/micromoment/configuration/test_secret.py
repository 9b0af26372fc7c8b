from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from micromoment.configuration.secret import read_secret
from micromoment.configuration.settings import Settings
from warehouse.errors import ConfigurationError


def test_a_configured_secret_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    settings = Settings(secret="of all collectors", data_folder=str(tmp_path / "var"))
    assert read_secret(settings) == b"of all collectors"
    assert not (tmp_path / "var").exists()


def test_a_secret_is_made_once_and_kept_for_its_user_only(tmp_path: Path) -> None:
    settings = Settings(data_folder=str(tmp_path / "var"))
    made = read_secret(settings)
    assert len(made) == 64
    assert read_secret(settings) == made
    assert (tmp_path / "var" / "secret").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_together_have_the_same_secret(tmp_path: Path) -> None:
    settings = Settings(data_folder=str(tmp_path / "var"))
    together = Barrier(8)

    def start(_: int) -> bytes:
        together.wait(10)
        return read_secret(settings)

    with ThreadPoolExecutor(8) as processes:
        made = set(processes.map(start, range(8)))
    assert [len(secret) for secret in made] == [64]
    assert [file.name for file in (tmp_path / "var").iterdir()] == ["secret"]


def test_two_installations_have_different_secrets(tmp_path: Path) -> None:
    made = {read_secret(Settings(data_folder=str(tmp_path / name))) for name in ("a", "b")}
    assert len(made) == 2


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigurationError) as caught:
        read_secret(Settings(data_folder=str(tmp_path / "file")))
    assert str(tmp_path / "file") in caught.value.message
    assert "MICROMOMENT_SECRET" in caught.value.hint
