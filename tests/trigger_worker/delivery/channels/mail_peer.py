"""A mail server in the test's own event loop."""

from __future__ import annotations

import asyncio
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class MailPeer:
    """Takes mail, or answers what it is told to answer.

    Args:
        tls: offers STARTTLS with this certificate, and takes mail after it only.
        tls_from_start: speaks TLS with this certificate from the first byte.
        login: the user and password that it wants.
        utf8: offers SMTPUTF8, and so takes mailboxes of any script.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        login: tuple[bytes, bytes] | None = None,
        tls_from_start: ssl.SSLContext | None = None,
        *,
        utf8: bool = False,
    ) -> None:
        self.received: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.connections = 0
        #: Given in place of "250 OK", one by one, after the recipient and after the message.
        self.recipient_replies: list[str] = []
        self.message_replies: list[str] = []
        #: Cuts the connection instead of answering, once, after the recipient or after the message.
        self.cut_after = ""
        self._tls = tls
        self._tls_from_start = tls_from_start
        self._login = login
        self._utf8 = utf8
        self._protocols: list[SMTP] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(
            self._protocol, "127.0.0.1", 0, ssl=self._tls_from_start
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._server.close()
        self.hang_up()
        await self._server.wait_closed()

    def hang_up(self) -> None:
        """Cuts every connection, as a restarted server does."""
        for protocol in self._protocols:
            if isinstance(protocol.transport, asyncio.Transport):
                protocol.transport.abort()

    def open_connections(self) -> int:
        """How many clients have not said goodbye."""
        transports = (protocol.transport for protocol in self._protocols)
        return sum(transport is not None and not transport.is_closing() for transport in transports)

    def _protocol(self) -> SMTP:
        self.connections += 1
        protocol = SMTP(
            self,
            tls_context=self._tls,
            require_starttls=self._tls is not None,
            auth_require_tls=self._tls is not None,
            authenticator=self._authenticate if self._login else None,
            auth_required=self._login is not None,
            enable_SMTPUTF8=self._utf8,
        )
        self._protocols.append(protocol)
        return protocol

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=(data.login, data.password) == self._login, handled=False)

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self._cut("recipient")
        reply = self.recipient_replies.pop(0) if self.recipient_replies else "250 OK"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        reply = self.message_replies.pop(0) if self.message_replies else "250 OK"
        if reply.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.raw.append(envelope.content)
            self.received.append(message_from_bytes(envelope.content, policy=policy.default))
            self.recipients += envelope.rcpt_tos
        self._cut("message")
        return reply

    def _cut(self, after: str) -> None:
        if self.cut_after == after:
            self.cut_after = ""
            self.hang_up()
