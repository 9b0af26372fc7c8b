"""The pages of the inbox, and the same messages as JSON.

The HTML of an email is foreign. It is served alone, by a response whose content security policy forbids scripts,
forms and frames and gives it an origin of its own; the inbox shows it in a sandboxed frame.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from micromoment.mailbox.mail import Mail
from micromoment.mailbox.store import MailStore, TextMessage, TextStore

_HERE: Final = Path(__file__).parent
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_STATIC: Final = {"inbox.css": "text/css", "inbox.js": "text/javascript"}

#: The policy of our own pages, which load only our own style, script and frames.
_PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: The policy of the HTML of an email: pictures and inline style are loaded, links open in a new tab.
_MAIL_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src http: https: data:; "
    "style-src 'unsafe-inline'; base-uri 'self'; form-action 'none'; frame-ancestors 'self'"
)
_HEAD: Final = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_OPENS_IN_NEW_TAB: Final = '<base target="_blank">'


def inbox_router(store: MailStore, texts: TextStore) -> Router:
    """Return the routes of the inbox.

    Args:
        store: the emails to show.
        texts: the text and chat messages to show.
    """

    @get("/", media_type=MediaType.HTML, sync_to_thread=False)
    def inbox() -> Response[str]:
        return _page("inbox.html", mails=store.mails(), texts=texts.texts())

    @get("/mail/{mail_id:int}", media_type=MediaType.HTML, sync_to_thread=False)
    def mail_page(mail_id: FromPath[int]) -> Response[str]:
        return _page("mail.html", mail=_find(store, mail_id))

    @get("/mail/{mail_id:int}/html", media_type=MediaType.HTML, sync_to_thread=False)
    def mail_html(mail_id: FromPath[int]) -> Response[str]:
        html = _with_new_tabs(_find(store, mail_id).html)
        return Response(html, media_type=MediaType.HTML, headers=_headers(_MAIL_POLICY))

    @get("/api/messages", sync_to_thread=False)
    def messages(to: FromQuery[str] = "") -> list[Mail]:
        return store.mails(to)

    @get("/api/messages/{mail_id:int}", sync_to_thread=False)
    def message(mail_id: FromPath[int]) -> Mail:
        return _find(store, mail_id)

    @get("/api/texts", sync_to_thread=False)
    def text_messages(to: FromQuery[str] = "") -> list[TextMessage]:
        return texts.texts(to)

    @get("/static/{name:str}", sync_to_thread=False)
    def static(name: FromPath[str]) -> Response[bytes]:
        if name not in _STATIC:
            raise NotFoundException("there is no such file")
        content = (_HERE / "static" / name).read_bytes()
        return Response(content, media_type=f"{_STATIC[name]}; charset=utf-8", headers=_headers(_PAGE_POLICY))

    return Router("/", route_handlers=[inbox, mail_page, mail_html, messages, message, text_messages, static])


def _page(template: str, **facts: object) -> Response[str]:
    html = _TEMPLATES.get_template(template).render(facts)
    return Response(html, media_type=MediaType.HTML, headers=_headers(_PAGE_POLICY))


def _with_new_tabs(html: str) -> str:
    """Return HTML whose links open in a new tab; the element goes into the head, so that the doctype stays first."""
    head = _HEAD.search(html)
    place = head.end() if head else 0
    return html[:place] + _OPENS_IN_NEW_TAB + html[place:]


def _headers(content_policy: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": content_policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _find(store: MailStore, mail_id: int) -> Mail:
    mail = store.find(mail_id)
    if mail is None:
        raise NotFoundException(f"there is no mail {mail_id}, or not any more")
    return mail
