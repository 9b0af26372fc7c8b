"""The mailbox as one application: the inbox, the providers, and the mail server that runs as long as they do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from litestar import Litestar

from micromoment.mailbox.pages import inbox_router
from micromoment.mailbox.providers import providers_router
from micromoment.mailbox.smtp import mail_server
from micromoment.mailbox.store import MailStore
from micromoment.mailbox.texts import TextStore


def create_mailbox(smtp_host: str, smtp_port: int, now: Callable[[], datetime]) -> Litestar:
    """Makes the mailbox; starting the application starts its mail server, and stopping it stops both.

    Args:
        smtp_host: the address that the mail server listens at.
        smtp_port: its port; 0 for any that is free, which `app.state.smtp_port` then names.
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
