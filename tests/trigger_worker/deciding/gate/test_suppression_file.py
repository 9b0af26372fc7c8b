"""The operator's suppression list."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_worker.deciding.gate.suppression_file import SuppressionError, load_suppressions, read_suppressions


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
