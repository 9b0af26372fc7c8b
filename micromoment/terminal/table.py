"""Figures in columns, for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Sequence


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return aligned lines under a header, ending with a line break.

    Args:
        header: the columns' names.
        rows: as many texts in each.
        left: how many of the columns are texts, aligned left; the others are figures.
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    return "".join(f"{_joined(line, widths, left)}\n" for line in lines)


def _joined(line: Sequence[str], widths: Sequence[int], left: int) -> str:
    cells = [
        text.ljust(width) if place < left else text.rjust(width)
        for place, (text, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
