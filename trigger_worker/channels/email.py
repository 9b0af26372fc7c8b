"""Email over SMTP, on connections that stay open from one message to the next."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Final, Literal, Self

import aiosmtplib
import msgspec

from trigger_worker.channels.base import DeliveryPostponed, OutboundMessage
from trigger_worker.channels.mail_message import mail_message, parse_sender
from warehouse.errors import ConfigurationError, DeliveryError


class EmailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the mail server is and how to talk to it.

    Args:
        host: its name.
        port: 25, 587 or 465 as a rule.
        sender: `Shop <hello@shop.example>`.
        username: empty to send without logging in.
        password: goes with the username.
        security: plain text, a connection that turns to TLS by STARTTLS, or TLS from the start.
        timeout_s: how long any one answer of the server may take, in seconds.
        connections: how many messages may be under way at once.
    """

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = ""
    security: Literal["none", "starttls", "tls"] = "none"
    timeout_s: float = 20.0
    connections: int = 4

    def __repr__(self) -> str:
        return f"EmailSettings(host={self.host!r}, port={self.port}, sender={self.sender!r})"


class EmailChannel:
    """Sends each message to its first recipient. Use it as an async context manager, which closes what it opened.

    A failure between the server's acceptance and its answer cannot be told from one before: such a message counts as
    not sent, and the caller decides by its class whether to repeat it.

    Args:
        settings: the mail server.
        now_ms: the clock, in milliseconds since 1970, for the date of the mails.
        trust: certificates to trust instead of the system's, for the server's TLS.

    Raises:
        ConfigurationError: when the sender is no address.
    """

    name: Final = "email"

    def __init__(self, settings: EmailSettings, now_ms: Callable[[], int], trust: ssl.SSLContext | None = None) -> None:
        sender = parse_sender(settings.sender)
        if sender is None:
            raise ConfigurationError(
                f'the sender of emails is "{settings.sender}", which is no address',
                "write it as Shop <hello@shop.example>",
            )
        self._settings = settings
        self._sender = sender
        self._now_ms = now_ms
        self._trust = trust
        self._idle: list[aiosmtplib.SMTP] = []
        self._slots = asyncio.Semaphore(settings.connections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        while self._idle:
            await _quit(self._idle.pop())

    async def send(self, message: OutboundMessage) -> None:
        """Hands one email to the server."""
        mail = mail_message(message, self._sender, self._now_ms())
        async with self._slots:
            connection = await self._connection()
            try:
                await connection.send_message(mail)
            except (aiosmtplib.SMTPException, OSError) as error:
                connection.close()
                raise self._failure(error) from error
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)

    async def _connection(self) -> aiosmtplib.SMTP:
        """Takes an open connection that still answers, or opens one."""
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.noop()
            except aiosmtplib.SMTPException:
                connection.close()
            else:
                return connection
        return await self._connect()

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self._settings
        connection = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password or None,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            timeout=settings.timeout_s,
            tls_context=self._trust,
        )
        try:
            await connection.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            connection.close()
            raise DeliveryPostponed(
                f"email: the mail server {settings.host}:{settings.port} cannot be used: {error}",
                "check that it runs, and its host, port, security, username and password",
            ) from error
        return connection

    def _failure(self, error: Exception) -> DeliveryError:
        """Final is what the server refused with a 5xx code; all else may succeed later."""
        server = f"{self._settings.host}:{self._settings.port}"
        code = _reply_code(error)
        if code is not None and code >= 500:
            return DeliveryError(f"email: {server} refused the message: {error}")
        return DeliveryPostponed(f"email: {server} did not take the message: {error}")


def _reply_code(error: Exception) -> int | None:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return max((refusal.code for refusal in error.recipients), default=None)
    return error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None


async def _quit(connection: aiosmtplib.SMTP) -> None:
    """Says goodbye; a server that is gone already needs none."""
    try:
        await connection.quit()
    except aiosmtplib.SMTPException:
        connection.close()
