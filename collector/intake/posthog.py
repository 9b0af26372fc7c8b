"""What PostHog's SDKs say, in the messages that the pipeline reads: pure, an event in and messages out.

A page is believed no more here than anywhere else: what its ids are worth is judged by the pipeline, as for messages of
any other SDK.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from collector.intake.draft import text
from collector.intake.none_ids import APART
from collector.intake.posthog_context import as_number, as_object, context_of, own_properties
from collector.intake.posthog_elements import describe_elements
from collector.intake.who_may_say import UNSUPPORTED_EVENTS
from warehouse.browser_id import is_bound
from warehouse.time_reading import event_time

#: The id of every visitor of a page in cookieless mode: PostHog makes others from addresses, which are not kept here.
_COOKIELESS: Final = "$posthog_cookieless"
_TYPES: Final = {
    "$pageview": "page",
    "$screen": "screen",
    "$identify": "identify",
    "$set": "identify",
    "$set_once": "identify",
    "$unset": "identify",
    "$groupidentify": "group",
    "$create_alias": "alias",
    "$merge_dangerously": "alias",
}
_NAMES: Final = {
    "$pageleave": "page_leave",
    "$rageclick": "rage_click",
    "$dead_click": "dead_click",
    "$copy_autocapture": "copy",
    "$opt_in": "consent",
    "survey shown": "survey_shown",
    "survey sent": "survey_sent",
    "survey dismissed": "survey_dismissed",
    "survey abandoned": "survey_abandoned",
}
_NAMES_OF_AUTOCAPTURE: Final = {"click": "click", "touch": "click", "submit": "form_submit", "change": "form_change"}
#: Events about an element of the page.
_ABOUT_ELEMENTS: Final = frozenset({"$autocapture", "$rageclick", "$dead_click", "$copy_autocapture"})


class PosthogEvent(msgspec.Struct):
    """One event as PostHog's SDKs send it; whatever may be anything is looked at where it is read."""

    event: Any = None
    distinct_id: Any = None
    own_distinct_id: Any = msgspec.field(default=None, name="$distinct_id")
    uuid: Any = None
    timestamp: Any = None
    offset: Any = None
    properties: Any = None
    sets: Any = msgspec.field(default=None, name="$set")
    sets_once: Any = msgspec.field(default=None, name="$set_once")
    unsets: Any = msgspec.field(default=None, name="$unset")
    session_id: Any = None
    options: Any = None


class Speaker(msgspec.Struct, frozen=True):
    """Who sends an event, and when.

    Args:
        is_server: whether it comes with the site's server key.
        sets_apart: whether browsers that prove nothing are set apart on the site.
        now_ms: when it arrived, epoch ms.
        sent_at: when it was sent by the sender's clock, as the request says it.
    """

    is_server: bool
    sets_apart: bool
    now_ms: int
    sent_at: str | int | float | None = None


class _Ids(msgspec.Struct, frozen=True):
    user: str = ""
    anonymous: str = ""

    def fields(self) -> dict[str, str]:
        """Return the ids as a message names them."""
        named = {"userId": self.user, "anonymousId": self.anonymous}
        return {name: value for name, value in named.items() if value}


def translate(event: PosthogEvent, speaker: Speaker) -> Iterator[dict[str, Any]]:
    """Yield the messages that an event means: one, and further ones for traits or ids that it tells beside it."""
    props = as_object(event.properties)
    name = event.event.strip() if isinstance(event.event, str) else ""
    if not name and any(map(as_object, (event.sets, event.sets_once))):
        name = "$set"
    ids = _ids(event, props, speaker)
    shared = {**_label(event, props), **_times(event, speaker)}
    kind = _TYPES.get(name, "track")
    context = context_of(event.session_id, props)
    if kind == "alias":
        yield from _aliases(props, ids, speaker, shared)
        return
    if kind == "identify":
        anonymous = text(props.get("$anon_distinct_id"))
        ids = _Ids(ids.user, anonymous or ids.anonymous)
        yield {"type": kind, **ids.fields(), **_traits(event, props), "context": context, **shared}
        yield from _joined_apart(anonymous, ids.user, speaker, shared)
        return
    message: dict[str, Any] = {"type": kind, **ids.fields(), "context": context, **shared}
    yield {**message, **_content(kind, name, props)}
    told = _traits(event, props)
    if told:
        yield {"type": "identify", **ids.fields(), **told, "context": context, **_beside(shared, "set")}


def _content(kind: str, name: str, props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the name and the properties of an event that is neither about ids nor about traits."""
    own = own_properties(props)
    if kind == "group":
        return {
            "groupId": text(props.get("$group_key")),
            "traits": as_object(props.get("$group_set")),
            "properties": own,
        }
    if kind == "screen":
        return {"name": text(props.get("$screen_name")) or None, "properties": own}
    if kind == "page":
        return {"properties": own}
    if name in _ABOUT_ELEMENTS:
        own |= describe_elements(props)
    if name == "$pageleave":
        own = _of_leaving(props, own)
    if name == "$opt_in":
        own = {"analytics": True}
    return {"event": _event_name(name, props), "properties": own}


def _event_name(name: str, props: Mapping[str, Any]) -> str:
    """Return an event's name: ours where it is one of PostHog's, whose others lose their `$`, which no rule can say."""
    if name == "$autocapture":
        kind = text(props.get("$event_type"))
        return _NAMES_OF_AUTOCAPTURE.get(kind, "copy" if kind in {"copy", "cut"} else "autocapture")
    return name if name in UNSUPPORTED_EVENTS else _NAMES.get(name) or name.lstrip("$")


def _of_leaving(props: Mapping[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of leaving a page: how long it was open, and how far down the visitor had been."""
    seconds = as_number(props.get("$prev_pageview_duration"))
    depth = as_number(props.get("$prev_pageview_max_content_percentage"))
    if depth is None:
        depth = as_number(props.get("$prev_pageview_max_scroll_percentage"))
    said = {
        "duration_ms": None if seconds is None else round(seconds * 1000),
        "depth_pct": None if depth is None else round(depth * 100),
    }
    others = {name: value for name, value in own.items() if not name.startswith("prev_pageview_")}
    return {**others, **{name: value for name, value in said.items() if value is not None}}


def _traits(event: PosthogEvent, props: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event says of its person: traits, those taken back as null, and those for who has none yet."""
    unset = event.unsets or props.get("$unset")
    taken = dict.fromkeys(name for name in unset if isinstance(name, str)) if isinstance(unset, list) else {}
    said = {**as_object(props.get("$set")), **as_object(event.sets)}
    once = {**as_object(props.get("$set_once")), **as_object(event.sets_once)}
    traits = {name: value for name, value in {**taken, **said}.items() if not name.startswith("$")}
    # An address is whoever's who told it last, and has to be known to everybody who looks for a no to it.
    traits = {**{name: once[name] for name in ("email", "phone") if once.get(name)}, **traits}
    # Campaigns that brought nobody are set to null: there is nothing to keep until somebody has one.
    first = {
        name: value
        for name, value in once.items()
        if value is not None and not name.startswith("$") and name not in traits
    }
    told = {"traits": traits, "properties": {"traits_once": first} if first else {}}
    return {name: value for name, value in told.items() if value}


def _ids(event: PosthogEvent, props: Mapping[str, Any], speaker: Speaker) -> _Ids:
    """Return the ids of an event: whether its distinct id is a user's or a browser's, only the sender can say."""
    named = next((each for each in (event.distinct_id, event.own_distinct_id) if each is not None), None)
    distinct = text(props.get("distinct_id") if named is None else named)
    if distinct == _COOKIELESS:
        return _Ids()
    is_identified = props.get("$is_identified")
    if speaker.is_server:
        profiled = as_object(event.options).get("process_person_profile", props.get("$process_person_profile"))
        is_browser = distinct.startswith(APART) or is_bound(distinct) or is_identified is False or profiled is False
        return _Ids(anonymous=distinct) if is_browser else _Ids(user=distinct)
    if not isinstance(is_identified, bool):
        # Versions before 1.150 name the user beside.
        is_identified = bool(distinct) and text(props.get("$user_id")) == distinct
    return _Ids(distinct, text(props.get("$device_id"))) if is_identified else _Ids(anonymous=distinct)


def _aliases(
    props: Mapping[str, Any], ids: _Ids, speaker: Speaker, shared: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the join of two ids. Which of them is the person's own is no more than a habit of each SDK."""
    own, other = text(props.get("distinct_id")) or ids.user or ids.anonymous, text(props.get("alias"))
    previous, user = (own, other) if props.get("$lib") == "posthog-python" else (other, own)
    if _is_browser(user) and not _is_browser(previous):
        previous, user = user, previous
    yield {"type": "alias", "previousId": previous, "userId": user, **shared}
    yield from _joined_apart(previous, user, speaker, shared)


def _joined_apart(anonymous: str, user: str, speaker: Speaker, shared: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the join of a page's browser, which is set apart, that a server names by the id that the page gave it."""
    if speaker.is_server and speaker.sets_apart and user and _is_uuid(anonymous) and not is_bound(anonymous):
        yield {"type": "alias", "previousId": APART + anonymous, "userId": user, **_beside(shared, "apart")}


def _is_browser(visitor_id: str) -> bool:
    return visitor_id.startswith(APART) or _is_uuid(visitor_id)


def _is_uuid(visitor_id: str) -> bool:
    """Tell whether an id has the form of those that posthog-js makes, which nobody guesses."""
    try:
        return len(visitor_id) == 36 and str(uuid.UUID(visitor_id)) == visitor_id.lower()
    except ValueError:
        return False


def _label(event: PosthogEvent, props: Mapping[str, Any]) -> dict[str, Any]:
    label = text(event.uuid) or text(props.get("$insert_id"))
    return {"messageId": label} if label else {}


def _beside(shared: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return what two messages of one event share, with an id of its own for the second."""
    label = shared.get("messageId")
    return {**shared, "messageId": f"{label}:{what}"} if label else dict(shared)


def _times(event: PosthogEvent, speaker: Speaker) -> dict[str, Any]:
    """Return when an event happened: as it says, or so long before it was sent."""
    if event.timestamp is not None:
        return {"timestamp": event.timestamp}
    offset = as_number(event.offset)
    if offset is None:
        return {}
    sent = event_time(speaker.sent_at)
    return {"timestamp": int((speaker.now_ms if sent is None else sent) - offset)}
