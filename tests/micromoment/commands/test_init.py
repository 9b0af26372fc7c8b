from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from micromoment.__main__ import cli
from trigger_worker.rules.library.catalogue import RULES
from warehouse.errors import ConfigurationError, RuleError

ALL_RULES = {path.name for path in RULES.glob("*.yaml")}


def init(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["init", str(folder), *arguments], catch_exceptions=False)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def live_rules(folder: Path) -> set[str]:
    return {path.name for path in (folder / "rules").glob("*.yaml")}


def write_key(folder: Path) -> str:
    sites = tomllib.loads((folder / "micromoment.toml").read_text())["sites"]
    return str(sites["shop"]["write_key"])


def test_nothing_is_live_until_it_is_chosen(tmp_path: Path) -> None:
    assert init(tmp_path).exit_code == 0
    assert live_rules(tmp_path) == set()
    assert {path.name for path in (tmp_path / "rules" / "available").iterdir()} == ALL_RULES


def test_chosen_rules_are_live_also_in_a_folder_that_is_there_already(tmp_path: Path) -> None:
    init(tmp_path)
    init(tmp_path, "--rule", "cart_abandoned", "--rule", "search_unused")
    assert live_rules(tmp_path) == {"cart_abandoned.yaml", "search_unused.yaml"}


def test_the_check_passes_on_all_that_init_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init(tmp_path, "--all")
    monkeypatch.chdir(tmp_path)
    checked = CliRunner().invoke(cli, ["check"], catch_exceptions=False)
    assert checked.exit_code == 0
    assert checked.output == f"{len(ALL_RULES)} rules are valid; 0 errors, 0 warnings\n"


def test_the_snippet_has_the_key_of_the_configuration(tmp_path: Path) -> None:
    output = init(tmp_path).output
    assert re.findall('data-key="(.*?)"', output) == [write_key(tmp_path)]
    assert 'src="http://localhost:8000/mm.js"' in output
    assert init(tmp_path).output.count(write_key(tmp_path)) == 1


def test_two_folders_have_different_keys(tmp_path: Path) -> None:
    init(tmp_path / "a")
    init(tmp_path / "b")
    assert write_key(tmp_path / "a") != write_key(tmp_path / "b")


def test_the_address_of_the_shop_is_who_may_send_and_where_links_start(tmp_path: Path) -> None:
    init(tmp_path, "--url", "https://shop.example/en")
    site = tomllib.loads((tmp_path / "micromoment.toml").read_text())["sites"]["shop"]
    assert site["origins"] == ["https://shop.example"]
    assert site["url"] == "https://shop.example/en"


def test_a_second_run_changes_nothing_and_names_what_it_kept(tmp_path: Path) -> None:
    init(tmp_path, "--rule", "cart_abandoned")
    rule = tmp_path / "rules" / "cart_abandoned.yaml"
    rule.write_text(rule.read_text().replace(">= 50", ">= 80"))
    before = contents(tmp_path)
    result = init(tmp_path, "--rule", "cart_abandoned")
    assert contents(tmp_path) == before
    assert "0 files written" in result.output
    kept = [line for line in result.output.splitlines() if line.startswith("kept your ")]
    assert [line.partition(";")[0].removeprefix("kept your ") for line in kept] == [
        str(tmp_path / "micromoment.toml"),
        str(rule),
    ]


def test_an_unknown_rule_names_the_nearest_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuleError) as caught:
        init(tmp_path, "--rule", "cart_abandonned")
    assert caught.value.hint == "did you mean cart_abandoned?"
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("url", ["shop.example", "ftp://shop.example", "https://"])
def test_an_address_of_no_shop_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="--url"):
        init(tmp_path, "--url", url)
    assert contents(tmp_path) == {}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("not a folder")
    with pytest.raises(ConfigurationError, match="rules"):
        init(tmp_path)
