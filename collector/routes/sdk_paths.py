"""The paths at which the SDKs of Segment, RudderStack and PostHog send, beside those of Segment's documented API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: analytics-next names the type of a message by its first letter. Its `apiHost` has `/v1` at its end, or not.
TYPE_OF_LETTER: Final[Mapping[str, str]] = {
    kind[0]: kind for kind in ("track", "identify", "page", "group", "alias", "screen")
}
SEGMENT_SINGLE: Final = tuple(f"{base}/{letter}" for base in ("", "/v1") for letter in TYPE_OF_LETTER)
#: The last one is that of older SDKs, for PHP, Ruby, Java and .NET.
SEGMENT_BATCH: Final = ("/b", "/v1/b", "/v1/import")
SEGMENT_FIGURES: Final = ("/m", "/v1/m")
SEGMENT_SETTINGS: Final = "/v1/projects"
RUDDER_CONFIG: Final = "/sourceConfig"
RUDDER_BEACON: Final = "/beacon/v1/batch"

POSTHOG_EVENTS: Final = ("/e", "/batch", "/capture", "/track", "/engage", "/i/v0/e")
POSTHOG_EVENTS_V1: Final = "/i/v1/analytics/events"
POSTHOG_FLAGS: Final = ("/flags", "/decide")
POSTHOG_SURVEYS: Final = "/api/surveys"
POSTHOG_CONFIG: Final = "/array"
#: posthog-js ends the path of its recordings with a slash; without one it is a `screen` of analytics-next.
POSTHOG_RECORDINGS: Final = b"/s/"

_POSTHOG: Final = (*POSTHOG_EVENTS, POSTHOG_EVENTS_V1, *POSTHOG_FLAGS, POSTHOG_SURVEYS)
#: Whole paths, and the beginnings of paths, that the pages of a shop call.
CALLED_BY_PAGES: Final = frozenset(
    (*SEGMENT_SINGLE, *SEGMENT_BATCH, *SEGMENT_FIGURES, RUDDER_CONFIG, RUDDER_BEACON, *_POSTHOG)
)
BEGUN_BY_PAGES: Final = (f"{SEGMENT_SETTINGS}/", f"{POSTHOG_CONFIG}/")
