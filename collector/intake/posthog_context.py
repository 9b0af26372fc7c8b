"""What an event of PostHog's SDKs says of its visitor, page and session, and which of its properties are its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from collector.intake.draft import text

#: Properties that say of a visitor, a page or an id what the context says, or of the SDK what nobody asks.
_SPENT: Final = frozenset(
    {
        *("token", "distinct_id", "api_key", "alias", "consent", "userHash", "user_hash"),
        *("utm_source", "utm_medium", "utm_campaign"),
        *("$set", "$set_once", "$unset", "$anon_distinct_id", "$device_id", "$user_id", "$insert_id", "$time"),
        *("$current_url", "$pathname", "$host", "$title", "$referrer", "$referring_domain", "$session_id"),
        *("$window_id", "$pageview_id", "$raw_user_agent", "$user_agent", "$browser", "$browser_version"),
        *("$browser_language", "$browser_language_prefix", "$browser_type", "$os", "$os_version", "$os_distro"),
        *("$device", "$device_type", "$device_manufacturer", "$screen_height", "$screen_width", "$viewport_height"),
        *("$viewport_width", "$timezone", "$timezone_offset", "$lib", "$lib_version", "$lib_custom_api_host"),
        *("$lib_rate_limit_remaining_tokens", "$ip", "$is_server", "$python_version", "$python_runtime"),
        *("$is_identified", "$process_person_profile", "$cookieless_mode", "$config_defaults", "$initial_person_info"),
        *("$configured_session_timeout_ms", "$autocapture_disabled_server_side", "$active_feature_flags"),
        *("$enabled_feature_flags", "$elements", "$elements_chain", "$event_type", "$ce_version", "$el_text"),
        *("$group_type", "$group_key", "$group_set", "$replay_minimum_duration", "$replay_sample_rate"),
        *("$replay_script_config", "$session_is_sampled", "$has_recording", "$recording_status", "$stored_person"),
        *("$web_vitals_enabled_server_side", "$dead_clicks_enabled_server_side", "$geoip_disable", "$epp"),
        *("$exception_capture_enabled_server_side", "$web_vitals_allowed_metrics", "$product_tours_activated"),
        *(
            "$network_type",
            "$initialization_time",
            "$session_recording_remote_config",
            "$session_recording_start_reason",
            "$surveys_activated",
        ),
        *("$prev_pageview_last_scroll", "$prev_pageview_last_content", "$prev_pageview_max_content"),
        *("$prev_pageview_max_scroll", "$prev_pageview_id"),
    }
)
#: The beginnings of others of them.
_SPENT_PREFIXES: Final = ("$sdk_", "$session_entry_", "$initial_", "$geoip_", "$feature/", "$feature_enrollment/")


def own_properties(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties that are the event's own; those of PostHog lose their `$`."""
    kept = {name: value for name, value in props.items() if name not in _SPENT and not name.startswith(_SPENT_PREFIXES)}
    renamed = {name.lstrip("$"): value for name, value in kept.items() if name.startswith("$")}
    return {**renamed, **{name: value for name, value in kept.items() if not name.startswith("$")}}


def context_of(session_id: object, props: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event says of its visitor, page and session, in the words of a message's context."""
    url = text(props.get("$current_url"))
    referrer = text(props.get("$referrer"))
    page = {
        "url": url,
        "path": text(props.get("$pathname")) or _path(url),
        "title": text(props.get("$title")),
        "referrer": "" if referrer == "$direct" else referrer,
    }
    campaign = {name: text(props.get(f"utm_{other}")) for name, other in _CAMPAIGN}
    place = {
        "country": text(props.get("$geoip_country_code")),
        "region": text(props.get("$geoip_subdivision_1_code")) or text(props.get("$geoip_subdivision_1_name")),
    }
    said = {
        "page": _filled(page),
        "campaign": _filled(campaign),
        "location": _filled(place),
        **_client(props),
        "userAgent": text(props.get("$raw_user_agent")) or text(props.get("$user_agent")),
        "timezone": text(props.get("$timezone")) or text(props.get("$geoip_time_zone")),
        "locale": text(props.get("$browser_language")) or text(props.get("$locale")),
        "sessionId": text(props.get("$session_id")) or text(session_id),
        "userHash": text(props.get("userHash")) or text(props.get("user_hash")),
        "consent": as_object(props.get("consent")),
    }
    return {name: value for name, value in said.items() if value}


_CAMPAIGN: Final = (("source", "source"), ("medium", "medium"), ("name", "campaign"))


def _client(props: Mapping[str, Any]) -> dict[str, str]:
    """Return the device that an event names: a server's SDK names its own machine, which has no browser."""
    browser = text(props.get("$browser"))
    device = text(props.get("$device_type")).lower()
    if not browser and not device:
        return {}
    return _filled({"device": device, "os": text(props.get("$os")), "browser": browser})


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _filled(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}


def as_object(value: object) -> dict[str, Any]:
    """Return an object, and any other value as one without fields."""
    return value if isinstance(value, dict) else {}


def as_number(value: object) -> float | None:
    """Return a number, and None for any other value."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
