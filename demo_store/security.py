"""The headers that keep a page to itself."""

from __future__ import annotations

from demo_store.settings import StoreSettings

#: Sent with every answer, pages, pictures and errors alike.
COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

#: For pictures: an SVG opened by itself runs and loads nothing.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def page_policy(settings: StoreSettings, nonce: str) -> str:
    """Write a page's content security policy: its own files, the collector, and inline scripts with this nonce."""
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
