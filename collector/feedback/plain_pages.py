"""Renders the pages for readers of messages: plain HTML without a script, which no other page may frame."""

from __future__ import annotations

import base64
import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from markupsafe import Markup

_FOLDER: Final = Path(__file__).parent / "templates"
_STYLE: Final = (_FOLDER / "page.css").read_text("utf-8")
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.globals["style"] = Markup(_STYLE)  # noqa: S704 - our own file
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
#: The Content-Security-Policy: our own style only, and forms that lead back here.
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


def page(template: str, code: HTTPStatus = HTTPStatus.OK, **facts: object) -> Response[bytes]:
    """Return a response with the page of a template.

    Args:
        template: its file in `collector/feedback/templates`.
        code: the response's status.
        facts: variables of the template; all of them are escaped.
    """
    html = _TEMPLATES.get_template(template).render(facts).encode()
    return Response(html, status_code=code, media_type="text/html", headers=_HEADERS)


def not_found() -> Response[bytes]:
    """Return the page for an address that leads nowhere, whether it was mistyped, cut off or made up."""
    return page("not_found.html", HTTPStatus.NOT_FOUND)
