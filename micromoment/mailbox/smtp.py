"""The mail server of the mailbox, which stores every email and delivers none."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

from micromoment.mailbox.store import MailStore
from warehouse.errors import ConfigurationError

#: The size of the largest email that is accepted, in bytes.
LARGEST_MAIL: Final = 1_000_000

#: The most recipients of one email.
MOST_RECIPIENTS: Final = 50


@asynccontextmanager
async def mail_server(store: MailStore, host: str, port: int) -> AsyncIterator[int]:
    """Run the mail server in the current event loop until the block ends.

    Args:
        store: the store for the emails.
        host: the address to listen on.
        port: the port to listen on; 0 for any free port.

    Yields:
        The port that the server listens on.

    Raises:
        ConfigurationError: the port cannot be opened.
    """
    # aiosmtpd would write every command to the log, with addresses.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    handler = _Handler(store)
    open_connections: WeakSet[SMTP] = WeakSet()

    def connect() -> SMTP:
        protocol = SMTP(handler, data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True, timeout=60)
        open_connections.add(protocol)
        return protocol

    try:
        server = await asyncio.get_running_loop().create_server(connect, host, port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigurationError(
            f"the mailbox cannot listen at {host}:{port}: {reason}",
            "stop what uses the port, or choose another",
        ) from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for protocol in open_connections:
            if isinstance(protocol.transport, asyncio.Transport):
                protocol.transport.abort()
        await server.wait_closed()


class _Handler:
    """The answers to the commands of a mail client."""

    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        content = envelope.content
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content or b""
        self._store.add(data, envelope.mail_from or "", tuple(envelope.rcpt_tos))
        return "250 OK"
