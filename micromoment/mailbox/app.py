"""The web application of the mailbox: the inbox, the providers' APIs, and the mail server that runs with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from litestar import Litestar

from micromoment.mailbox.pages import inbox_router
from micromoment.mailbox.providers import providers_router
from micromoment.mailbox.smtp import mail_server
from micromoment.mailbox.store import MailStore, TextStore


def create_mailbox(smtp_host: str, smtp_port: int, now: Callable[[], datetime]) -> Litestar:
    """Return the application of the mailbox, which starts and stops the mail server with itself.

    Args:
        smtp_host: the address that the mail server listens on.
        smtp_port: the port that it listens on; 0 for any free port, which `app.state.smtp_port` then names.
        now: the clock, in UTC.
    """
    store = MailStore(now)
    texts = TextStore(now)

    @asynccontextmanager
    async def serve_mail(app: Litestar) -> AsyncIterator[None]:
        async with mail_server(store, smtp_host, smtp_port) as port:
            app.state.smtp_port = port
            yield

    routes = [inbox_router(store, texts), providers_router(texts)]
    return Litestar(routes, lifespan=[serve_mail], openapi_config=None, logging_config=None)
