"""A visit to the shop in an empty browser profile, which must end without errors on its pages."""

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
    """Open a browser profile for one visitor until the block ends, then assert that its pages had no errors."""
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
