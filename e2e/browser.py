"""The Chromium of the tests: the system's, else Playwright's, which is installed if needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

#: Switched off. For the address bar of each window, a full Chromium keeps two more pages: two fifths of what a visit
#: costs. The rest is what tests need of Playwright's own list, which this one replaces: contexts that are gone once
#: they are closed, pages that are painted at once, and nobody called.
_OFF: Final = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    *("DestroyProfileOnBrowserClose", "AvoidUnnecessaryBeforeUnloadCheckSync", "PaintHolding"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable"),
    *("MediaRouter", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
)
#: Quiet and alone: no calls home, which a closed network refuses, and no sandbox, which containers lack.
FLAGS: Final = (
    f"--disable-features={','.join(_OFF)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SYSTEM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Open a headless Chromium until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system_chromium(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def system_chromium() -> str | None:
    """Return the path of the system's Chromium, or None when the system has none."""
    return next((path for name in _SYSTEM_NAMES if (path := shutil.which(name))), None)


def playwright_chromium() -> bool:
    """Tell whether Playwright's Chromium is installed."""
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def install() -> None:
    """Install a Chromium when there is none: from the system's packages where we may, else Playwright's.

    Raises:
        SystemExit: neither worked; says what to do by hand.
    """
    if system_chromium() or playwright_chromium():
        return
    attempts = [[sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        attempts[:0] = [["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]]
    for command in attempts:
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        if system_chromium():
            return
    if not playwright_chromium():
        sys.exit("no Chromium: install one, for example with `apt-get install chromium`")


if __name__ == "__main__":
    install()
