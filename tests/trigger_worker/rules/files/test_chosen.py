"""Rules that somebody names on a command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_worker.rules.files.chosen import read_chosen
from trigger_worker.rules.files.folder import RuleSet
from warehouse.errors import RuleError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "one.yaml").write_text("id: one\nwhen: hover\n")
    (folder / "two.yaml").write_text('id: two\nwhen: hover\nif: segment("keen")\n')
    (tmp_path / "audiences.yaml").write_text("segments:\n  keen: count(hover, 1h) > 1\n")
    return folder


def ids(sets: list[RuleSet]) -> list[str]:
    return [rule.id for found in sets for rule in found.rules]


def test_a_folder_is_read_with_the_audiences_beside_it(folder: Path) -> None:
    (found,) = read_chosen([folder], Path("nowhere.yaml"))
    assert [rule.id for rule in found.rules] == ["one", "two"]
    assert list(found.audiences.segments) == ["keen"]
    assert found.problems == ()


def test_a_file_is_read_with_the_audiences_beside_its_folder(folder: Path) -> None:
    assert ids(read_chosen([folder / "two.yaml"], Path("nowhere.yaml"))) == ["two"]


def test_without_audiences_beside_the_rules_the_configured_ones_count(folder: Path, tmp_path: Path) -> None:
    configured = (tmp_path / "audiences.yaml").rename(tmp_path / "elsewhere.yaml")
    assert ids(read_chosen([folder], configured)) == ["one", "two"]


def test_a_rule_that_is_named_twice_is_read_once(folder: Path) -> None:
    assert ids(read_chosen([folder, folder / "one.yaml"], Path("nowhere.yaml"))) == ["one", "two"]


def test_a_broken_rule_is_left_out_and_told(folder: Path) -> None:
    (folder / "two.yaml").write_text("id: two\nwhen: hover ->\n")
    (found,) = read_chosen([folder], Path("nowhere.yaml"))
    assert [rule.id for rule in found.rules] == ["one"]
    (problem,) = found.problems
    assert str(problem).startswith(f"{folder}/two.yaml:2:")


def test_two_rules_with_one_id_are_refused(folder: Path) -> None:
    (folder / "two.yaml").write_text("id: one\nwhen: click\n")
    with pytest.raises(RuleError, match=r'two\.yaml: the id "one" is taken by .*one\.yaml'):
        read_chosen([folder], Path("nowhere.yaml"))


@pytest.mark.parametrize("text", [None, "id: one\n"])
def test_without_a_valid_rule_there_is_nothing_to_do(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "one.yaml").write_text(text)
    with pytest.raises(RuleError, match="there is no valid rule"):
        read_chosen([tmp_path], Path("nowhere.yaml"))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(RuleError, match=r"one\.yaml: cannot be read"):
        read_chosen([tmp_path / "one.yaml"], Path("nowhere.yaml"))
