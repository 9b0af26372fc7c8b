"""Reads coupon pools, `coupons/NAME.txt`: a list of codes, or one pattern that codes are generated from."""

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
#: The random part of a pattern: `SAVE-{XXXX}`.
_BLANK: Final = re.compile(r"\{(X+)\}")
#: Letters and digits of random parts, without those that people mistake for one another.
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
#: Fewest random characters of a pattern: with fewer, codes can be guessed and soon run out.
_FEWEST_BLANKS: Final = 4
#: How often a code that is taken is generated again before the pattern counts as exhausted.
_TRIES: Final = 64
_LONGEST_CODE: Final = 64


class CouponError(MicromomentError):
    """Raised when no code can be assigned."""


class PoolExhausted(CouponError):
    """Raised when every code of a pool is taken."""


class CodeList(msgspec.Struct, frozen=True):
    """A pool that lists its codes."""

    codes: tuple[str, ...]

    def free(self, taken: Container[str]) -> Iterator[str]:
        """Yield codes that are not taken, in the order of the file."""
        return (code for code in self.codes if code not in taken)


class CodePattern(msgspec.Struct, frozen=True):
    """A pool whose codes are generated at random as they are needed."""

    pattern: str

    def free(self, taken: Container[str]) -> Iterator[str]:
        """Yield codes that are not taken, until random tries find no more."""
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

    Args:
        folder: the folder of the pools.
        name: the pool's name, as templates write it.

    Raises:
        CouponError: the pool is missing or has a mistake; the error names the file and, where there is one, the line.
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
    """Parse the text of a pool; empty lines and lines that start with `#` are skipped.

    Args:
        text: the text of the file.
        path: the file's path, for error messages.

    Raises:
        CouponError: the text has a mistake; the error names file and line.
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
    """Return different codes of a pool that are not taken.

    Args:
        pool: the pool.
        taken: the codes that are taken.
        number: how many codes to return; fewer are returned when the pool has no more.
    """
    found: dict[str, None] = {}
    # A random code may come twice, so there are more tries than codes, but not endlessly many.
    for code in islice(pool.free(taken), 2 * number + _TRIES):
        if len(found) == number:
            break
        found[code] = None
    return list(found)
