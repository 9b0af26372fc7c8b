"""The settings of the shop."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

import msgspec


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the shop: its collector, and the links of its footer.

    Args:
        collector_url: the address of the collector, for example ``http://127.0.0.1:8000``.
        write_key: the write key of the site, which every page contains.
        script_path: the path of the browser script on the collector.
        public_url: the origin of the shop as visitors see it; empty for the origin of each request.
        mailbox_url: the page that shows the demo's outgoing emails; empty for no link.
        console_url: the page that shows an operator the behaviour of visitors; empty for no link.
        identity_secret: the secret by which the ids of accounts are signed for the collector; empty for no signatures.

    Raises:
        ValueError: an address is neither empty nor absolute HTTP(S), or the collector or write key is missing.
    """

    collector_url: str
    write_key: str
    script_path: str = "/mm.js"
    public_url: str = ""
    mailbox_url: str = ""
    console_url: str = ""
    identity_secret: str = ""

    def __repr__(self) -> str:
        return f"StoreSettings(collector_url={self.collector_url!r})"

    def __post_init__(self) -> None:
        for name in ("collector_url", "public_url", "mailbox_url", "console_url"):
            url = getattr(self, name)
            if url and not _is_http_url(url):
                raise ValueError(f"{name} must be an absolute http(s) URL, not {url!r}")
        if not self.collector_url:
            raise ValueError("collector_url is missing: give the collector's origin, such as http://127.0.0.1:8000")
        if not self.write_key:
            raise ValueError("write_key is missing: give the site's write key")

    def signature_of(self, account_id: str | None) -> str:
        """Return the proof for the collector that the shop knows a visitor by this id; '' without an id or a secret."""
        if account_id is None or not self.identity_secret:
            return ""
        return hmac.new(self.identity_secret.encode(), account_id.encode(), hashlib.sha256).hexdigest()

    @property
    def collector_origin(self) -> str:
        """Return the origin of the collector, as a content security policy names it."""
        parts = urlsplit(self.collector_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def script_url(self) -> str:
        """Return the address of the browser script."""
        return self.collector_url.rstrip("/") + self.script_path


def _is_http_url(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not set(url) & set(" ;,'\"")
