"""The errors of a page that the browser reports."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, ConsoleMessage, WebError

#: The browser's own words about a server that does not answer, which tests stop on purpose.
_SERVER_AWAY = "Failed to load resource"


def watch_faults(context: BrowserContext) -> list[str]:
    """Return a list that collects the uncaught errors and console errors of a page, such as policy violations."""
    faults: list[str] = []

    def take_error(error: WebError) -> None:
        faults.append(str(error.error))

    def take_message(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_SERVER_AWAY):
            faults.append(message.text)

    context.on("weberror", take_error)
    context.on("console", take_message)
    return faults
