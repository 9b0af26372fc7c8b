"""The channel `email`: sends emails over SMTP, on connections that stay open from one message to the next."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from types import TracebackType
from typing import Final, Literal, Self

import aiosmtplib
import msgspec

from trigger_worker.delivery.channels.base import DeliveryPostponed, DeliveryUncertain, OutboundMessage, wrong_content
from trigger_worker.delivery.channels.mail_links import MailLinks
from trigger_worker.delivery.channels.mail_message import mail_message, parse_sender
from trigger_worker.delivery.content.email import EmailContent
from warehouse.errors import ConfigurationError, DeliveryError

#: Mails are sent in seven bits, which every server takes.
_WIRE: Final = SMTP.clone(cte_type="7bit")
#: But for the headers of a mail to a mailbox of another script (RFC 6531, RFC 6532).
_WIRE_UTF8: Final = SMTP.clone(cte_type="7bit", utf8=True)
_UTF8_OPTIONS: Final = ("SMTPUTF8", "BODY=8BITMIME")


class EmailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The mail server and the sender.

    Args:
        host: the server's host name.
        port: the server's port, usually 25, 587 or 465.
        sender: the sender's address, such as `Shop <hello@shop.example>`.
        username: the user to log in as; '' to send without logging in.
        password: the user's password.
        security: plain text, STARTTLS, or TLS from the start.
        timeout_s: the most time of any one answer of the server, in seconds.
        connections: the most messages that are sent at the same time.
    """

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = ""
    security: Literal["none", "starttls", "tls"] = "none"
    timeout_s: float = 20.0
    connections: int = 8

    def __repr__(self) -> str:
        return f"EmailSettings(host={self.host!r}, port={self.port}, sender={self.sender!r})"


class EmailChannel:
    """Sends each message to its first recipient. Used as an async context manager, it closes its connections.

    A server that falls silent once it has the text may have taken it: that failure is a `DeliveryUncertain`, and the
    caller decides by the message's class whether to repeat it.

    Args:
        settings: the mail server.
        now_ms: returns the present, in epoch ms, for the date of the mails.
        trust: certificates to trust instead of the system's, for the server's TLS.
        links: adds tracking and unsubscribe links; None to send emails as they were rendered.

    Raises:
        ConfigurationError: the sender is no address.
    """

    name: Final = "email"

    def __init__(
        self,
        settings: EmailSettings,
        now_ms: Callable[[], int],
        trust: ssl.SSLContext | None = None,
        links: MailLinks | None = None,
    ) -> None:
        sender = parse_sender(settings.sender)
        if sender is None:
            raise ConfigurationError(
                f'the sender of emails is "{settings.sender}", which is no address',
                "write it as Shop <hello@shop.example>",
            )
        self._settings = settings
        self._server = f"{settings.host}:{settings.port}"
        self._sender = sender
        self._now_ms = now_ms
        self._trust = trust
        self._links = links
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
        """Hand one email to the server.

        Raises:
            DeliveryPostponed: the server cannot be used, or may take the email later.
            DeliveryUncertain: the server was given the text and did not answer.
            DeliveryError: the server refused the email, or the message is no email.
        """
        mail = self._mail(message)
        async with self._slots:
            connection = await self._connection()
            try:
                await self._hand_over(connection, mail)
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)

    async def _hand_over(self, connection: aiosmtplib.SMTP, mail: EmailMessage) -> None:
        # Step by step, because only a failure after the text was sent leaves open whether the server took it.
        recipient = mail["To"].addresses[0].addr_spec
        is_international = not recipient.isascii()
        if is_international:
            await self._require_utf8(connection)
        options = _UTF8_OPTIONS if is_international else ()
        try:
            await connection.mail(self._sender.addr_spec, options=options)
            await connection.rcpt(recipient, encoding="utf-8")
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._failure(error) from error
        try:
            await connection.data(mail.as_bytes(policy=_WIRE_UTF8 if is_international else _WIRE))
        except aiosmtplib.SMTPResponseException as error:
            raise self._failure(error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise DeliveryUncertain(
                f"email: {self._server} was given the message and never answered: {error}"
            ) from error

    async def _require_utf8(self, connection: aiosmtplib.SMTP) -> None:
        """See that the server takes mailboxes of other scripts.

        Raises:
            DeliveryError: it does not; it never takes this mail.
        """
        try:
            if connection.is_ehlo_or_helo_needed:
                await connection.ehlo()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._failure(error) from error
        if not connection.supports_extension("smtputf8"):
            raise DeliveryError(
                f"email: {self._server} takes no mailbox with letters beyond ASCII, as this one has (no SMTPUTF8)",
                "use a mail server that offers SMTPUTF8, or another address of the person",
            )

    def _mail(self, message: OutboundMessage) -> EmailMessage:
        if not isinstance(message.content, EmailContent):
            raise wrong_content(self.name, message)
        if self._links is None:
            return mail_message(message, message.content, self._sender, self._now_ms())
        content = self._links.added_to(message.content, message)
        return mail_message(message, content, self._sender, self._now_ms(), self._links.way_out(message))

    async def _connection(self) -> aiosmtplib.SMTP:
        """Return an open connection that still answers, or open one."""
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
                f"email: the mail server {self._server} cannot be used: {error}",
                "check that it runs, and its host, port, security, username and password",
            ) from error
        return connection

    def _failure(self, error: Exception) -> DeliveryError:
        """Return the error for a failed step: final after a 5xx code, otherwise to be tried again."""
        if isinstance(error, aiosmtplib.SMTPResponseException) and error.code >= 500:
            return DeliveryError(f"email: {self._server} refused the message: {error}")
        return DeliveryPostponed(f"email: {self._server} did not take the message: {error}")


async def _quit(connection: aiosmtplib.SMTP) -> None:
    """Close a connection with QUIT, or at once when the server is gone already."""
    try:
        await connection.quit()
    except aiosmtplib.SMTPException:
        connection.close()
