"""Parse the small values of rule and policy files: names, times of day, shares and numbers."""

from __future__ import annotations

import re
from typing import Final

from trigger_worker.rules.model import HIGHEST_PRIORITY
from warehouse.errors import RuleError

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_SHARE: Final = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s*%", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)
_COUNT: Final = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_PRIORITY: Final = re.compile(r"\d{1,4}", re.ASCII)


def parse_id(text: str) -> str:
    """Return the name of a rule, a template, an arm, a tag or an audience.

    Raises:
        RuleError: the text has other characters than letters, digits, `_` and `-`, or is too long.
    """
    if not _ID.fullmatch(text):
        raise RuleError(f'expected a name of letters, digits, _ and -, at most 64 long, found "{text[:80]}"')
    return text


def parse_clock(text: str) -> int:
    """Return a time of day such as `10:00` as minutes after midnight.

    Raises:
        RuleError: the text is no time of day.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise RuleError(f'expected a time of day such as 10:00, found "{text}"')
    return int(match[1]) * 60 + int(match[2])


def parse_share(text: str) -> float:
    """Return a share such as `10%` as a number from 0 to 1.

    Raises:
        RuleError: the text is no share from 0% to 100%.
    """
    match = _SHARE.fullmatch(text.strip())
    if match is None or float(match[1]) > 100:
        raise RuleError(f'expected a share from 0% to 100%, found "{text}"')
    return float(match[1]) / 100


def parse_weight(text: str) -> float:
    """Return a number greater than 0, the weight of an arm.

    Raises:
        RuleError: the text is no such number.
    """
    if not _NUMBER.fullmatch(text.strip()) or float(text) == 0:
        raise RuleError(f'expected a number greater than 0, found "{text}"')
    return float(text)


def parse_count(text: str) -> int:
    """Return a whole number of at least 1.

    Raises:
        RuleError: the text is no such number.
    """
    if not _COUNT.fullmatch(text.strip()):
        raise RuleError(f'expected a whole number of at least 1, found "{text}"')
    return int(text)


def parse_priority(text: str) -> int:
    """Return a priority, a whole number from 0 to the highest priority.

    Raises:
        RuleError: the text is no such number.
    """
    if not _PRIORITY.fullmatch(text.strip()) or int(text) > HIGHEST_PRIORITY:
        raise RuleError(f'expected a whole number from 0 to {HIGHEST_PRIORITY}, found "{text}"')
    return int(text)
