"""What a running shop is told from outside."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the shop finds its collector, and what its footer links to.

    Args:
        collector_url: origin of the collector, for example ``http://127.0.0.1:8000``.
        write_key: the site's write key, printed in every page.
        script_path: path of the browser script on the collector.
        public_url: origin that visitors see, without a trailing slash; empty means that of each request.
        mailbox_url: page where the demonstration's outgoing mail can be read; empty hides the link.
        console_url: page where an operator looks at behaviour; empty hides the link.

    Raises:
        ValueError: a URL that is neither empty nor absolute HTTP(S), or no collector or write key.
    """

    collector_url: str
    write_key: str
    script_path: str = "/mm.js"
    public_url: str = ""
    mailbox_url: str = ""
    console_url: str = ""

    def __post_init__(self) -> None:
        for name in ("collector_url", "public_url", "mailbox_url", "console_url"):
            url = getattr(self, name)
            if url and not _is_http_url(url):
                raise ValueError(f"{name} must be an absolute http(s) URL, not {url!r}")
        if not self.collector_url:
            raise ValueError("collector_url is missing: give the collector's origin, such as http://127.0.0.1:8000")
        if not self.write_key:
            raise ValueError("write_key is missing: give the site's write key")

    @property
    def collector_origin(self) -> str:
        """Scheme, host and port of the collector, as a content security policy names it."""
        parts = urlsplit(self.collector_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def script_url(self) -> str:
        """Address of the browser script."""
        return self.collector_url.rstrip("/") + self.script_path


def _is_http_url(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not set(url) & set(" ;,'\"")
