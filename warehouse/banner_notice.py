"""The notice by which a worker tells the collectors of a banner, on the bus."""

from __future__ import annotations

import msgspec


class BannerNotice(msgspec.Struct, frozen=True):
    """A banner on its way to the pages that may show it.

    Args:
        site: the site that the visitor is on.
        message_id: names the banner.
        anonymous_ids: the browsers whose pages may show it.
        expires_at: epoch milliseconds.
        banner: its JSON, which collectors pass on as it is.
    """

    site: str
    message_id: str
    anonymous_ids: tuple[str, ...]
    expires_at: int
    banner: msgspec.Raw
