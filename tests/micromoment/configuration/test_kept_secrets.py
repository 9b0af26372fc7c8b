from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from py_vapid import Vapid02

from micromoment.configuration.kept_secrets import public_push_key, read_push_key, read_secret
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


def test_a_folder_that_no_secret_can_be_written_to_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigurationError) as caught:
        read_secret(Settings(data_folder=str(tmp_path / "file")))
    assert str(tmp_path / "file") in caught.value.message
    assert "MICROMOMENT_SECRET" in caught.value.hint


PRIVATE = base64.urlsafe_b64encode((7).to_bytes(32)).rstrip(b"=").decode()


def public(settings: Settings) -> str:
    return public_push_key(read_push_key(settings))


def test_a_key_is_made_once_and_kept_for_its_user_only(tmp_path: Path) -> None:
    settings = Settings(data_folder=str(tmp_path / "var"))
    made = public(settings)
    assert public(settings) == made
    assert (tmp_path / "var" / "push.key").stat().st_mode & 0o777 == 0o600
    assert public(Settings(data_folder=str(tmp_path / "other"))) != made


def test_a_configured_key_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    settings = Settings(data_folder=str(tmp_path / "var"), push_key=PRIVATE)
    assert base64.urlsafe_b64decode(public(settings) + "=")[:1] == b"\x04"
    assert read_push_key(settings).private_numbers().private_value == 7
    assert not (tmp_path / "var").exists()


def test_a_key_that_other_tools_made_is_the_same_here() -> None:
    made = Vapid02()
    made.generate_keys()
    number = made.private_key.private_numbers().private_value
    text = base64.urlsafe_b64encode(number.to_bytes(32)).decode()
    assert read_push_key(Settings(push_key=text)).public_key() == made.public_key


@pytest.mark.parametrize("text", ["no key!", "AAAA", "A" * 43, "_" * 43, PRIVATE + "AAAA", "schlüssel"])
def test_what_is_no_key_is_refused_and_not_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="push_key") as refusal:
        read_push_key(Settings(push_key=text))
    assert text not in str(refusal.value)


def test_a_folder_that_no_push_key_can_be_written_to_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigurationError) as caught:
        read_push_key(Settings(data_folder=str(tmp_path / "file")))
    assert "MICROMOMENT_PUSH_KEY" in caught.value.hint
