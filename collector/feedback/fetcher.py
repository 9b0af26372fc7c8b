"""Who fetches what a message leads to: its reader, the reader's mail service, or a machine that reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from collector.intake.context import parse_user_agent

#: A `person` opened or followed something; a `proxy` fetched a picture when the reader opened the message; a
#: `machine` fetched it whether or not anybody reads, as Apple's Mail Privacy Protection, crawlers and scanners do.
FetcherKind = Literal["person", "proxy", "machine"]

#: Gmail and Yahoo fetch pictures through their own servers, once the reader opens the message.
_PROXIES: Final = ("GoogleImageProxy", "YahooMailProxy")
#: All that Apple's Mail Privacy Protection says about itself.
_APPLE_PRIVACY_AGENT: Final = "Mozilla/5.0"
#: How the agents of HTTP libraries begin, which scanners are written with.
_LIBRARIES: Final = ("curl/", "wget/", "python", "go-http-client", "java/", "okhttp", "axios/", "node", "undici")
#: Headers by which a browser says that it fetches ahead of the reader.
_AHEAD: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")


def fetcher_kind(user_agent: str) -> FetcherKind:
    """Tells whom a user agent stands for."""
    if any(name in user_agent for name in _PROXIES):
        return "proxy"
    agent = user_agent.strip()
    if agent in ("", _APPLE_PRIVACY_AGENT) or agent.lower().startswith(_LIBRARIES):
        return "machine"
    return "machine" if parse_user_agent(agent).device == "bot" else "person"


def fetched_ahead(headers: Mapping[str, str]) -> bool:
    """Tells whether a browser fetches what nobody has asked for yet."""
    return any("prefetch" in headers.get(name, "").lower() for name in _AHEAD)
