"""The front page of the collector, for whoever opens its address in a browser."""

from __future__ import annotations

from typing import Final

from litestar import MediaType, Response, get

_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>Micromoment collector</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }</style>
<h1>Micromoment collector</h1>
<p>Pages of a shop send here what happens on them, and get banners from here. There is nothing to see.</p>
<ul>
<li>Do you visit a shop, and have a message from it? Its link at the end leads to your preferences.</li>
<li>Do you build a shop? Its snippet comes from <code>micromoment init</code>; <code>docs/http.md</code> describes the
API.</li>
<li>Do you operate this? Readiness, figures and the API's description are at the port of operations
(<code>operations_port</code>, <code>docs/operations.md</code>).</li>
</ul>
"""
_HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


@get("/", summary="What this is", tags=["operation"], media_type=MediaType.HTML)
async def front_page() -> Response[str]:
    """Say what this is, and where to go."""
    return Response(_PAGE, media_type=MediaType.HTML, headers=_HEADERS)
