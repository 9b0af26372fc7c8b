"""A visit to the shop, from an empty browser to the last word on what went wrong there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser

from e2e.faults import watch_faults
from e2e.shopper import Shopper
from e2e.stack import Stack

LOCALE: Final = "en-GB"
TIMEZONE: Final = "Europe/Berlin"


@contextmanager
def shopping(browser: Browser, stack: Stack) -> Iterator[Shopper]:
    """Open a browser of a visitor's own until the block ends; by then, nothing may have gone wrong on its pages."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        locale=LOCALE,
        timezone_id=TIMEZONE,
        permissions=["clipboard-write"],
    )
    faults = watch_faults(context)
    try:
        yield Shopper(context.new_page(), stack)
        assert faults == []
    finally:
        context.close()
