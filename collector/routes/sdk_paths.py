"""The paths at which the SDKs of Segment and RudderStack send, beside those of Segment's documented API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: analytics-next names the type of a message by its first letter. Its `apiHost` has `/v1` at its end, or not.
TYPE_OF_LETTER: Final[Mapping[str, str]] = {
    kind[0]: kind for kind in ("track", "identify", "page", "group", "alias", "screen")
}
SEGMENT_SINGLE: Final = tuple(f"{base}/{letter}" for base in ("", "/v1") for letter in TYPE_OF_LETTER)
SEGMENT_BATCH: Final = ("/b", "/v1/b")
SEGMENT_FIGURES: Final = ("/m", "/v1/m")
SEGMENT_SETTINGS: Final = "/v1/projects"
RUDDER_CONFIG: Final = "/sourceConfig"
RUDDER_BEACON: Final = "/beacon/v1/batch"

#: Whole paths, and the beginnings of paths, that the pages of a shop call.
CALLED_BY_PAGES: Final = frozenset((*SEGMENT_SINGLE, *SEGMENT_BATCH, *SEGMENT_FIGURES, RUDDER_CONFIG, RUDDER_BEACON))
BEGUN_BY_PAGES: Final = (f"{SEGMENT_SETTINGS}/",)
