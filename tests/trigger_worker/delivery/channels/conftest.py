"""Peers that speak the real protocols, and the messages that they are sent."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.trigger_worker.delivery.channels.http_peer import HttpPeer
from tests.trigger_worker.delivery.channels.mail_peer import MailPeer


@pytest.fixture
async def mail_peer() -> AsyncIterator[MailPeer]:
    async with MailPeer() as peer:
        yield peer


@pytest.fixture
async def http_peer() -> AsyncIterator[HttpPeer]:
    async with HttpPeer() as peer:
        yield peer


@dataclass(frozen=True)
class Certificate:
    """A certificate for localhost that its own client trusts."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder: Path = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return Certificate(server=server, client=ssl.create_default_context(cafile=str(certificate)))
