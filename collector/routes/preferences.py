"""Routes that leave a message's channel: by one click of a mail program, or by the preference page."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import HttpMethod, Response, post, route
from litestar.datastructures import FormMultiDict
from litestar.params import FromPath

from collector.errors import RequestError, malformed
from collector.feedback.address_notes import address_in_link, addresses_of_message
from collector.feedback.message_links import MessageLink, chosen, unsubscribed
from collector.feedback.plain_pages import not_found, page
from collector.feedback.preferences import (
    CHANNELS,
    Preferences,
    PreferenceWords,
    answer_of_form,
    choose_words,
    read_preferences,
)
from collector.parts import CollectorParts, CurrentParts
from collector.rate import COST_OF_READING
from collector.routes.guards import MAX_FORM_BYTES, AnyRequest, admit, read_form, read_link
from warehouse.errors import WarehouseError

_log = structlog.get_logger("collector.feedback.preferences")


@route(
    "/v1/u/{name:str}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    summary="Show what a reader gets",
    tags=["messages"],
)
async def show_preferences(request: AnyRequest, parts: CurrentParts, name: FromPath[str]) -> Response[bytes]:
    """Show the preference page; nothing changes, because scanners follow every link."""
    admit(request, parts, COST_OF_READING)
    link = read_link(parts, name, "unsubscribe")
    if link is None:
        return not_found()
    return _page(link, _words(request), await _read(parts, link))


@post("/v1/u/{name:str}", status_code=HTTPStatus.OK, summary="Unsubscribe, or choose what to get", tags=["messages"])
async def change_preferences(request: AnyRequest, parts: CurrentParts, name: FromPath[str]) -> Response[bytes]:
    """Keep the answer of the page's form as `consent`; any other form unsubscribes, as mail programs do (RFC 8058).

    The response means that the answer is on disk; it holds from the next decision.
    """
    address = admit(request, parts, COST_OF_READING)
    link = read_link(parts, name, "unsubscribe")
    if link is None:
        return not_found()
    form = FormMultiDict(await _read_form(request, parts, address))
    if form.get("choice") == "save":
        return await _choose(parts, link, _words(request), form)
    return await _leave(parts, link, _words(request))


async def _read_form(request: AnyRequest, parts: CollectorParts, address: str) -> list[tuple[str, str]]:
    """Return the fields of the page's form; none of a form of another kind, such as a mail program's.

    Raises:
        RequestError: it cannot be read as what it says it is.
    """
    kind, _, options = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() == "application/x-www-form-urlencoded":
        return await read_form(request, parts, address)
    body = await parts.bounds.bodies.read(request.receive, address, MAX_FORM_BYTES)
    if kind.strip().lower() == "multipart/form-data":
        boundary = options.partition("boundary=")[2].partition(";")[0].strip(' "')
        if not boundary or f"--{boundary}".encode() not in body:
            raise malformed("the form has no part")
    return []


async def _choose(
    parts: CollectorParts, link: MessageLink, words: PreferenceWords, form: FormMultiDict
) -> Response[bytes]:
    ticked = set(form.getall("channel", []))
    preferences = Preferences("marketing" in form, {name: name in ticked for name in CHANNELS})
    said = answer_of_form(preferences, set(form.getall("off", [])), link.token.channel)
    if said:
        await _note(parts, link, said, "preference_page")
        await parts.ingest.keep(link.site, chosen(link, parts.now_ms(), said), parts.now_ms())
    return _page(link, words, preferences, words.saved)


async def _leave(parts: CollectorParts, link: MessageLink, words: PreferenceWords) -> Response[bytes]:
    await _note(parts, link, {"marketing": False}, "one_click")
    await parts.ingest.keep(link.site, unsubscribed(link, parts.now_ms()), parts.now_ms())
    before = await _read(parts, link)
    after = msgspec.structs.replace(before, marketing=False) if before else None
    return _page(link, words, after, words.left)


async def _note(parts: CollectorParts, link: MessageLink, answer: Mapping[str, Any], source: str) -> None:
    """Note an answer for the address that the message was sent to: it holds whichever visitors name that address."""
    keys = address_in_link(link.token)
    if keys is None:
        try:
            keys = await parts.bounds.reads.run(addresses_of_message, parts.warehouse, link.token)
        except (WarehouseError, RequestError) as error:
            # The person's own answer is kept all the same; links of this version name their address.
            _log.warning("address_unknown", error=error.message)
            return
    await parts.addresses.note_answer(link.token, keys, answer, source, parts.now_ms())


async def _read(parts: CollectorParts, link: MessageLink) -> Preferences | None:
    """Return the reader's preferences; None while ClickHouse is away, because a form that guesses would be saved."""
    try:
        return await parts.bounds.reads.run(read_preferences, parts.warehouse, link.token)
    except WarehouseError as error:
        _log.warning("preferences_unknown", error=error.message, remedy=error.hint)
        return None


def _words(request: AnyRequest) -> PreferenceWords:
    return choose_words(request.headers.get("accept-language", ""))


def _page(
    link: MessageLink, words: PreferenceWords, preferences: Preferences | None, status: str = ""
) -> Response[bytes]:
    return page("preferences.html", words=words, status=status, site=link.site.name, preferences=preferences)
