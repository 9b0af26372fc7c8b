"""`coupons/NAME.txt`: the codes that can be given out, one a line, or the pattern that they are made by."""

from __future__ import annotations

import re
import secrets
from collections.abc import Container, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from warehouse.errors import MicromomentError

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", re.ASCII)
#: Where a pattern has characters of its own choice: `SAVE-{XXXX}`.
_BLANK: Final = re.compile(r"\{(X+)\}")
#: Without letters and digits that people take for one another.
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
#: With fewer, codes can be guessed and soon run out.
_FEWEST_BLANKS: Final = 4
#: How often a code that is taken is made anew before the pattern counts as used up.
_TRIES: Final = 64
_LONGEST_CODE: Final = 64


class CouponError(MicromomentError):
    """A code that cannot be given out."""


class PoolExhausted(CouponError):
    """A pool of which every code is given out."""


class CodeList(msgspec.Struct, frozen=True):
    """Codes that somebody wrote down."""

    codes: tuple[str, ...]

    def free(self, taken: Container[str]) -> Iterator[str]:
        """Yield codes that are not taken, in the order of the file."""
        return (code for code in self.codes if code not in taken)


class CodePattern(msgspec.Struct, frozen=True):
    """Codes that are made as they are needed; nobody can tell the next."""

    pattern: str

    def free(self, taken: Container[str]) -> Iterator[str]:
        """Yield codes that are not taken, as long as chance finds one."""
        while True:
            tries = (self._make() for _ in range(_TRIES))
            code = next((each for each in tries if each not in taken), None)
            if code is None:
                return
            yield code

    def _make(self) -> str:
        return _BLANK.sub(lambda blank: "".join(secrets.choice(_ALPHABET) for _ in blank[1]), self.pattern)


Pool = CodeList | CodePattern


def read_pool(folder: Path, name: str) -> Pool:
    """Read the pool of a name.

    Raises:
        CouponError: naming the file and, wherever there is one, the line.
    """
    if not _NAME.fullmatch(name):
        raise CouponError(f"{name!r} is no name of a coupon pool", "use letters, digits, _ and - only")
    path = folder / f"{name}.txt"
    try:
        return parse_pool(path.read_text("utf-8"), str(path))
    except FileNotFoundError as error:
        raise CouponError(f"{path}: there is no such coupon pool", "write its codes there, one a line") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CouponError(f"{path}: cannot be read: {error}", "make it a readable text file in UTF-8") from error


def parse_pool(text: str, path: str) -> Pool:
    """Parse a pool; empty lines and those that start with `#` are passed over.

    Args:
        text: of the file.
        path: how errors call it.

    Raises:
        CouponError: naming file and line.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    for number, line in lines:
        if len(line) > _LONGEST_CODE or not line.isprintable() or any(letter.isspace() for letter in line):
            raise CouponError(f"{path}:{number}: this is no code", f"at most {_LONGEST_CODE} characters, no spaces")
    patterns = [(number, line) for number, line in lines if "{" in line]
    if not patterns:
        return CodeList(tuple(dict.fromkeys(line for _, line in lines)))
    number, pattern = patterns[0]
    if len(lines) > 1 or sum(len(blank[1]) for blank in _BLANK.finditer(pattern)) < _FEWEST_BLANKS:
        raise CouponError(
            f"{path}:{number}: a pattern stands alone and leaves {_FEWEST_BLANKS} characters or more to chance",
            "write SAVE-{XXXXXX}, or codes only",
        )
    return CodePattern(pattern)


def take(pool: Pool, taken: Container[str], number: int) -> list[str]:
    """Return so many different codes of a pool that are not taken; fewer when it has no more."""
    found: dict[str, None] = {}
    # Chance may make a code twice; it does not do so for ever.
    for code in islice(pool.free(taken), 2 * number + _TRIES):
        if len(found) == number:
            break
        found[code] = None
    return list(found)
