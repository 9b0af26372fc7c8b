"""The operator's suppression list: addresses that must never be written to."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from trigger_worker.deciding.recipient.addresses import parse_address
from warehouse.errors import RuleError

_COMMENT: Final = "#"


class SuppressionError(RuleError):
    """A list with lines that cannot be followed.

    Args:
        message: every such line with its place.
        readable: the addresses of the other lines.
    """

    def __init__(self, message: str, readable: frozenset[str] = frozenset()) -> None:
        super().__init__(message, "write one email address or international telephone number in a line")
        self.readable = readable


def load_suppressions(path: Path) -> frozenset[str]:
    """Return the addresses of a list, normalised; where there is no such file, none.

    Raises:
        SuppressionError: the file cannot be read, or a line is neither an address nor a comment.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError) as error:
        raise SuppressionError(f"{path.name}:1: cannot be read: {error}") from error
    return read_suppressions(text, path.name)


def read_suppressions(text: str, path: str) -> frozenset[str]:
    """Return the addresses of a list: one in a line, empty lines and `#` comments between them.

    Raises:
        SuppressionError: for example `suppressions.txt:3: expected an email address ...`.
    """
    addresses: set[str] = set()
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.partition(_COMMENT)[0].strip()
        if not entry:
            continue
        try:
            addresses.add(parse_address(entry))
        except RuleError as error:
            problems.append(f"{path}:{number}: {error.message}")
    if problems:
        raise SuppressionError("\n".join(problems), frozenset(addresses))
    return frozenset(addresses)
