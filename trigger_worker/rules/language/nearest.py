"""The known name that somebody who mistyped probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns a hint such as `did you mean view_item?`, empty when no known name is like it."""
    found = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"did you mean {found[0]}?" if found else ""
