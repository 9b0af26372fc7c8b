"""The rules folder and its changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_worker.rules.files.folder import RuleFolder, RuleSet

RULE = "id: {id}\nwhen: search\nif: segment('vip')\nsend: [{{banner: b}}]\n"


class Shop:
    """A folder of rules with audiences beside it."""

    def __init__(self, root: Path) -> None:
        self.rules = root / "rules"
        self.rules.mkdir()
        self.audiences = root / "audiences.yaml"
        self.audiences.write_text("segments:\n  vip: true\n")
        self.folder = RuleFolder(self.rules, self.audiences)

    def write(self, name: str, text: str) -> None:
        (self.rules / name).write_text(text)

    def refresh(self) -> RuleSet:
        return self.folder.refresh()

    def ids(self) -> list[str]:
        return [rule.id for rule in self.refresh().rules]

    def problems(self) -> list[str]:
        return [str(problem) for problem in self.refresh().problems]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_rules_come_in_the_order_of_their_files(shop: Shop) -> None:
    shop.write("b.yaml", RULE.format(id="one"))
    shop.write("a.yml", RULE.format(id="two"))
    shop.write("notes.txt", "no rule")
    assert shop.ids() == ["two", "one"]
    assert [rule.path for rule in shop.refresh().rules] == ["rules/a.yml", "rules/b.yaml"]
    assert shop.problems() == []


def test_nothing_is_read_again_while_nothing_changes(shop: Shop) -> None:
    shop.write("a.yaml", RULE.format(id="one"))
    assert shop.refresh() is shop.refresh()


def test_only_the_changed_file_is_read_again(shop: Shop) -> None:
    shop.write("a.yaml", RULE.format(id="one"))
    shop.write("b.yaml", RULE.format(id="two"))
    before = shop.refresh()
    shop.write("b.yaml", RULE.format(id="three"))
    after = shop.refresh()
    assert [rule.id for rule in after.rules] == ["one", "three"]
    assert after.rules[0] is before.rules[0]


def test_a_broken_rule_stops_itself_and_no_other(shop: Shop) -> None:
    shop.write("a.yaml", RULE.format(id="one"))
    shop.write("b.yaml", RULE.format(id="two"))
    assert shop.ids() == ["one", "two"]
    shop.write("a.yaml", "id: one\nwhen: ->")
    assert shop.ids() == ["two"]
    assert shop.problems() == ['rules/a.yaml:2:7: expected an event such as view_item, found "->"']
    shop.write("a.yaml", RULE.format(id="one"))
    assert shop.ids() == ["one", "two"]


def test_a_removed_file_takes_its_rule_along(shop: Shop) -> None:
    shop.write("a.yaml", RULE.format(id="one"))
    assert shop.ids() == ["one"]
    (shop.rules / "a.yaml").unlink()
    assert shop.ids() == []


def test_of_two_rules_with_one_id_the_first_file_counts(shop: Shop) -> None:
    shop.write("a.yaml", RULE.format(id="one"))
    shop.write("b.yaml", "# a comment\n" + RULE.format(id="one"))
    assert [rule.path for rule in shop.refresh().rules] == ["rules/a.yaml"]
    assert shop.problems() == ['rules/b.yaml:2:1: the id "one" is taken by rules/a.yaml (give this rule another id)']


def test_changed_audiences_are_checked_against_all_rules(shop: Shop) -> None:
    shop.write("a.yaml", RULE.format(id="one"))
    assert shop.ids() == ["one"]
    shop.audiences.write_text("segments:\n  other: true\n")
    assert shop.problems() == ['rules/a.yaml:3:5: there is no segment "vip" (define it in audiences.yaml)']
    shop.audiences.unlink()
    assert shop.ids() == []
    shop.audiences.write_text("segments:\n  vip: false\n")
    assert shop.ids() == ["one"]
    assert list(shop.refresh().audiences.segments) == ["vip"]


def test_problems_of_audiences_are_told_with_the_rules(shop: Shop) -> None:
    shop.audiences.write_text("segments:\n  vip: 3\n")
    shop.write("a.yaml", "id: one\nwhen: search")
    assert shop.ids() == ["one"]
    assert [problem.path for problem in shop.refresh().problems] == ["audiences.yaml"]


def test_a_file_that_is_not_text_is_a_problem_of_its_own(shop: Shop) -> None:
    (shop.rules / "a.yaml").write_bytes(b"id: \xff\xfe")
    shop.write("b.yaml", RULE.format(id="two"))
    assert shop.ids() == ["two"]
    assert shop.problems() == ["rules/a.yaml:1:1: this file is not UTF-8: byte 4 is not part of a character"]


def test_a_file_that_cannot_be_read_is_a_problem_of_its_own(shop: Shop) -> None:
    (shop.rules / "a.yaml").mkdir()
    assert shop.problems() == ["rules/a.yaml:1:1: this file cannot be read: Is a directory"]


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    rule_set = RuleFolder(tmp_path / "rules", tmp_path / "audiences.yaml").refresh()
    assert rule_set.rules == ()
    assert [problem.message for problem in rule_set.problems] == ["there is no such folder"]
