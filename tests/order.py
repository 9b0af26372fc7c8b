"""The order in which files are dealt out to the processes of a run."""

from __future__ import annotations

from collections.abc import Sequence

import pytest


def begin_with(longest: Sequence[str], items: list[pytest.Item]) -> None:
    """Move the tests of the longest files to the front, so that at the end no process waits for one of them.

    Args:
        longest: beginnings of paths from the repository's root; the longest first.
        items: all tests of a run.
    """
    ranks = {name: rank for rank, name in enumerate(longest)}

    def rank(item: pytest.Item) -> int:
        return min((ranks[name] for name in longest if item.nodeid.startswith(name)), default=len(longest))

    items.sort(key=rank)
