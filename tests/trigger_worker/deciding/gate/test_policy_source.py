"""The policy file, read again when it changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.policy_source import (
    PolicySource,
    SuppressionError,
    WatchedFile,
    load_suppressions,
    read_suppressions,
)
from warehouse.errors import RuleError


def write(path: Path, text: str) -> None:
    """Write a file whose time of change differs from any before."""
    later = path.stat().st_mtime_ns + 1_000_000 if path.exists() else None
    path.write_text(text)
    if later is not None:
        os.utime(path, ns=(later, later))


def test_a_changed_file_counts_after_a_refresh(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    write(path, "holdout: 5%\n")
    source = PolicySource(path)
    assert source.policy.holdout == 0.05
    write(path, "holdout: 7%\n")
    assert source.policy.holdout == 0.05
    source.refresh()
    assert source.policy.holdout == 0.07


def test_a_mistake_keeps_what_held_before_until_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    write(path, "holdout: 5%\n")
    source = PolicySource(path)
    write(path, "holdout: lots\n")
    source.refresh()
    assert source.policy.holdout == 0.05
    write(path, "holdout: 7%\n")
    source.refresh()
    assert source.policy.holdout == 0.07


def test_a_file_that_is_wrong_at_the_start_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    write(path, "holdout: lots\n")
    with pytest.raises(RuleError, match=r"policy\.yaml:1:"):
        PolicySource(path)


def test_a_file_that_comes_and_goes_restrains_while_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    source = PolicySource(path)
    assert source.policy == Policy()
    write(path, "holdout: 5%\n")
    source.refresh()
    assert source.policy.holdout == 0.05
    path.unlink()
    source.refresh()
    assert source.policy == Policy()


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    write(path, "holdout: 5%\n")
    source = PolicySource(path)
    before = source.policy
    source.refresh()
    assert source.policy is before


def test_a_suppression_list_counts_and_is_read_again(tmp_path: Path) -> None:
    policy, suppressions = tmp_path / "policy.yaml", tmp_path / "suppressions.txt"
    write(suppressions, "ann@example.com\n")
    source = PolicySource(policy, suppressions)
    assert source.policy.suppressed == {"ann@example.com"}
    write(policy, "holdout: 5%\n")
    source.refresh()
    assert source.policy == Policy(holdout=0.05, suppressed=frozenset({"ann@example.com"}))
    write(suppressions, "bob@example.com\n")
    source.refresh()
    assert source.policy == Policy(holdout=0.05, suppressed=frozenset({"bob@example.com"}))


def test_a_wrong_line_neither_takes_an_address_off_nor_keeps_the_others_out(tmp_path: Path) -> None:
    policy, suppressions = tmp_path / "policy.yaml", tmp_path / "suppressions.txt"
    write(suppressions, "ann@example.com\n")
    source = PolicySource(policy, suppressions)
    write(suppressions, "an@example,com\nbob@example.com\n")
    source.refresh()
    assert source.policy.suppressed == {"ann@example.com", "bob@example.com"}
    with pytest.raises(RuleError, match=r"suppressions\.txt:1:"):
        PolicySource(policy, suppressions)


def test_each_change_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    watched = WatchedFile(path)
    assert not watched.changed()
    path.write_text("one")
    assert watched.changed()
    assert not watched.changed()
    os.utime(path, ns=(1, 1))
    assert watched.changed()
    path.unlink()
    assert watched.changed()
    assert not watched.changed()


def test_addresses_stand_one_in_a_line_among_comments() -> None:
    text = "# asked by letter, 3 March\nAnn@Example.com\n\n+49 171 1234567   # called us\r\nbob@example.com"
    assert read_suppressions(text, "s.txt") == {"ann@example.com", "+491711234567", "bob@example.com"}


def test_every_wrong_line_is_named_and_the_others_can_be_read() -> None:
    with pytest.raises(SuppressionError) as refusal:
        read_suppressions("ann\nbob@example.com\n0171 1234567\n", "s.txt")
    first, second = refusal.value.message.splitlines()
    assert first.startswith(
        's.txt:1: expected an email address or a telephone number such as +49 171 1234567, found "ann"'
    )
    assert second.startswith("s.txt:3: ")
    assert refusal.value.readable == {"bob@example.com"}
    assert "one email address" in refusal.value.hint


def test_no_file_suppresses_nobody(tmp_path: Path) -> None:
    assert load_suppressions(tmp_path / "suppressions.txt") == frozenset()


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "suppressions.txt"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SuppressionError, match=r"suppressions\.txt:1: cannot be read"):
        load_suppressions(path)
