from __future__ import annotations

from pathlib import Path

import pytest

from trigger_worker.rules.library.catalogue import GROUPS, Entry, find_rule, read_library, render_index
from warehouse.errors import RuleError

ENTRIES = read_library()
PAGE = (Path(__file__).parents[4] / "docs" / "library.md").read_text(encoding="utf-8")


def test_the_page_is_the_one_that_the_rules_make() -> None:
    assert render_index(ENTRIES) == PAGE


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.rule.id)
def test_every_rule_is_on_the_page_with_its_pattern(entry: Entry) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{entry.rule.id}` |")]
    assert entry.rule.describe in row
    assert f"`{entry.when}`" in row


def test_every_group_has_rules_and_every_rule_a_known_group() -> None:
    assert {entry.group for entry in ENTRIES} == set(GROUPS)


def test_an_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(RuleError, match="cart_abandonned") as caught:
        find_rule("cart_abandonned")
    assert caught.value.hint == "did you mean cart_abandoned?"
