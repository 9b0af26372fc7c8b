"""Routes by which whoever reads at an address confirms it: a page with a button, which scanners do not press."""

from __future__ import annotations

from http import HTTPStatus

from litestar import HttpMethod, Response, post, route
from litestar.params import FromPath

from collector.feedback.callbacks import message_event
from collector.feedback.confirmation import EVENT, FACTS, SOURCE, confirmation_words
from collector.feedback.message_links import MessageLink
from collector.feedback.plain_pages import not_found, page
from collector.feedback.preferences import choose_words
from collector.parts import CollectorParts, CurrentParts
from collector.routes.guards import AnyRequest, admit, read_link
from warehouse.address_ledger import AddressKey

#: The only use of the links that lead here.
_PURPOSE = "confirm"


@route(
    "/v1/a/{name:str}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    summary="Ask whether an address is the reader's",
    tags=["messages"],
)
async def show_confirmation(request: AnyRequest, parts: CurrentParts, name: FromPath[str]) -> Response[bytes]:
    """Show the page; nothing changes, because scanners follow every link."""
    admit(request, parts)
    link = _read(parts, name)
    return not_found() if link is None else _page(request, link, is_confirmed=False)


@post("/v1/a/{name:str}", status_code=HTTPStatus.OK, summary="Confirm an address", tags=["messages"])
async def take_confirmation(request: AnyRequest, parts: CurrentParts, name: FromPath[str]) -> Response[bytes]:
    """Note that the address of a message is its reader's, and keep `address_confirmed`.

    The response means that the answer is on disk; it holds from the next decision.
    """
    admit(request, parts)
    link = _read(parts, name)
    if link is None:
        return not_found()
    token, now_ms = link.token, parts.now_ms()
    key = AddressKey(token.site, token.channel, token.address)
    await parts.addresses.note_of_keys([key], FACTS, SOURCE, now_ms)
    await parts.ingest.keep(link.site, message_event(EVENT, token, link.site, now_ms), now_ms)
    return _page(request, link, is_confirmed=True)


def _read(parts: CollectorParts, name: str) -> MessageLink | None:
    link = read_link(parts, name, _PURPOSE)
    return link if link is not None and link.token.address else None


def _page(request: AnyRequest, link: MessageLink, *, is_confirmed: bool) -> Response[bytes]:
    language = choose_words(request.headers.get("accept-language", "")).language
    words = confirmation_words(language)
    return page("confirm.html", words=words, site=link.site.name, is_confirmed=is_confirmed)
