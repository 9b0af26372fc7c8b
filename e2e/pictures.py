"""Screenshots for the documentation, taken only on request."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

FOLDER: Final = Path(__file__).parents[1] / "docs" / "pictures"
#: Set to 1 to write the pictures; a plain test run leaves the tree as it is.
VARIABLE: Final = "MICROMOMENT_PICTURES"


def take_picture(page: Page, name: str) -> None:
    """Save a screenshot of a page as `docs/pictures/NAME.jpg`, if pictures are requested."""
    if os.environ.get(VARIABLE) != "1":
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=82, animations="disabled")


def take_banner_picture(page: Page, form: str) -> None:
    """Save a screenshot of a banner and its page as `docs/pictures/banner-FORM.png`, if pictures are requested."""
    if os.environ.get(VARIABLE) != "1":
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    size = page.viewport_size
    page.set_viewport_size({"width": 880, "height": 560})
    page.screenshot(path=FOLDER / f"banner-{form.replace('_', '-')}.png", animations="disabled")
    if size:
        page.set_viewport_size(size)
