"""The security headers of the shop's answers, with the content security policy of its pages."""

from __future__ import annotations

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from demo_store.settings import StoreSettings

_COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

#: The policy of pictures: an SVG that is opened by itself runs no script and loads nothing.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


async def add_common_headers(message: Message, _scope: Scope) -> None:
    """Add the common security headers to an answer: a page, picture, file or error."""
    if message["type"] == "http.response.start":
        MutableScopeHeaders.from_message(message).update(_COMMON_HEADERS)


def page_policy(settings: StoreSettings, nonce: str) -> str:
    """Return the content security policy of a page.

    It allows files of the shop, the collector, and inline scripts and styles with the nonce.
    """
    collector = settings.collector_origin
    directives = {
        "default-src": "'none'",
        "script-src": f"'self' {collector} 'nonce-{nonce}'",
        "style-src": f"'self' 'nonce-{nonce}'",
        "img-src": f"'self' data: https: {collector}",
        "connect-src": f"'self' {collector}",
        "font-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())
