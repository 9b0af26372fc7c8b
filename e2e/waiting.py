"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_POLL_SECONDS: Final = 0.04


def wait_for(check: Callable[[], T | None], what: str, seconds: float = 30.0) -> T:
    """Return the first true result of a function that is called until it returns one.

    Args:
        check: the function.
        what: the name of the condition, for the error.
        seconds: the longest wait.

    Raises:
        AssertionError: the function returned nothing true in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}; last answer: {answer!r}"
        time.sleep(_POLL_SECONDS)


def answers(url: str) -> bool:
    """Tell whether a server answers a GET of an address with status 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
