"""Each kind of event of PostHog's SDKs, and what it is here."""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
import pytest

from collector.intake import pipeline
from collector.intake.draft import Drop, DropReason, Receipt
from collector.intake.posthog import PosthogEvent, Speaker, translate
from collector.sites import Site
from tests.collector.messages import NOON
from warehouse.event import EventRow, format_time

SITE = Site("shop", "shop-key", server_keys=("mms_shop",), identity="required")
OPEN = Site("shop", "shop-key", server_keys=("mms_shop",), identity="off")
DEVICE = "0192f0c1-7e4b-7c3a-9a51-6f0d3b8c2e11"
UUID = "0192f0c1-7e4b-7c3a-9a51-000000000001"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
#: What posthog-js says with every event.
PAGE: dict[str, Any] = {
    "token": "shop-key",
    "distinct_id": DEVICE,
    "$device_id": DEVICE,
    "$is_identified": False,
    "$process_person_profile": False,
    "$current_url": "https://shop.example/tents?utm_source=news#top",
    "$pathname": "/tents",
    "$host": "shop.example",
    "$referrer": "https://news.example/",
    "$referring_domain": "news.example",
    "$raw_user_agent": CHROME,
    "$browser": "Chrome",
    "$os": "Windows",
    "$device_type": "Desktop",
    "$browser_language": "de-AT",
    "$timezone": "Europe/Vienna",
    "$session_id": "session-1",
    "$window_id": "window-1",
    "$insert_id": "abc",
    "$lib": "web",
    "$lib_version": "1.449.2",
    "$sdk_debug_retry_queue_size": 0,
    "$session_entry_url": "https://shop.example/",
    "utm_source": "news",
    "utm_medium": "email",
    "utm_campaign": "spring",
}
#: And posthog-python with every event.
SERVER: dict[str, Any] = {
    "$lib": "posthog-python",
    "$lib_version": "7.91.1",
    "$os": "Linux",
    "$python_version": "3.11.2",
    "$geoip_disable": True,
    "$is_server": True,
}


def told(
    event: str, *, props: dict[str, Any] | None = None, site: Site = SITE, server: bool = False, **fields: Any
) -> list[EventRow | Drop]:
    """Return what becomes of one event of a page, or of the shop's server."""
    base = SERVER if server else PAGE
    made = {
        "event": event,
        "uuid": UUID,
        "distinct_id": "user-17" if server else DEVICE,
        "timestamp": "2026-11-22T11:59:58.250Z",
        "properties": {**base, **(props or {})},
        **fields,
    }
    decoded = msgspec.json.decode(msgspec.json.encode(made), type=PosthogEvent)
    speaker = Speaker(server, site.identity != "off", NOON)
    receipt = Receipt(NOON, is_from_server=server, user_agent="posthog-python/7" if server else CHROME)
    messages = [msgspec.Raw(msgspec.json.encode(message)) for message in translate(decoded, speaker)]
    return [pipeline.process(message, site, receipt, {}) for message in messages]


def row(event: str, **given: Any) -> EventRow:
    """Return the one row that an event becomes."""
    (found,) = told(event, **given)
    assert isinstance(found, EventRow), found
    return found


def said(of: EventRow | Drop) -> dict[str, Any]:
    assert isinstance(of, EventRow), of
    props: dict[str, Any] = msgspec.json.decode(of.props) if of.props else {}
    return props


def who(of: EventRow | Drop) -> tuple[str, str, str, str]:
    assert isinstance(of, EventRow), of
    return of.event, of.visitor_id, of.anonymous_id, of.user_id


def test_a_page_view_has_its_page_visitor_campaign_and_device() -> None:
    found = row("$pageview", props={"title": "Tents", "colour": "red"})
    assert (found.event, found.type, found.event_id) == ("page_view", "page", UUID)
    assert who(found)[1:] == (f"~{DEVICE}", f"~{DEVICE}", "")
    assert found.ts == "2026-11-22 11:59:58.250"
    assert (found.path, found.title, found.referrer) == ("/tents", "Tents", "https://news.example/")
    assert found.url == "https://shop.example/tents?utm_source=news#top"
    assert (found.utm_source, found.utm_medium, found.utm_campaign) == ("news", "email", "spring")
    assert (found.device, found.os, found.browser) == ("desktop", "Windows", "Chrome")
    assert (found.timezone, found.country, found.locale, found.session_id) == (
        *("Europe/Vienna", "AT", "de-AT", "session-1"),
    )
    assert said(found) == {"colour": "red"}


def test_a_visitor_who_came_straight_here_has_no_referrer() -> None:
    assert row("$pageview", props={"$referrer": "$direct"}).referrer == ""


@pytest.mark.parametrize(
    ("name", "props", "event", "kept"),
    [
        ("quiz_done", {"score": 7, "$price": 3}, "quiz_done", {"score": 7}),
        ("Quiz Done", {"tags": ["a"]}, "Quiz Done", {"tags": ["a"]}),
        ("$feature_flag_called", {"$feature_flag": "new", "$feature_flag_response": True}, "feature_flag_called", None),
        ("$exception", {"$exception_list": [{"type": "TypeError"}]}, "exception", None),
        ("$web_vitals", {"$web_vitals_LCP_value": 1200.5}, "web_vitals", {"web_vitals_LCP_value": 1200.5}),
        ("survey sent", {"$survey_id": "s1", "$survey_response": 9}, "survey_sent", None),
        ("$$client_ingestion_warning", {"$$client_ingestion_warning_message": "x"}, "client_ingestion_warning", None),
        ("$pageleave", {"$prev_pageview_duration": 12.345}, "page_leave", {}),
    ],
)
def test_other_events_are_kept_under_names_that_rules_can_say(
    name: str, props: dict[str, Any], event: str, kept: dict[str, Any] | None
) -> None:
    found = row(name, props=props)
    assert found.event == event
    expected = {field.lstrip("$"): value for field, value in props.items()} if kept is None else kept
    assert said(found) == expected


def test_leaving_a_page_says_how_long_and_how_far() -> None:
    leaving = {
        "$prev_pageview_duration": 12.345,
        "$prev_pageview_max_scroll_percentage": 0.2,
        "$prev_pageview_max_content_percentage": 0.756,
        "$prev_pageview_pathname": "/tents",
    }
    found = row("$pageleave", props=leaving)
    assert (found.duration_ms, found.depth_pct, found.path, said(found)) == (12345, 76, "/tents", {})


ELEMENTS = [
    {"tag_name": "span", "$el_text": "Buy now", "nth_child": 1},
    {"tag_name": "button", "classes": ["btn", "btn-2x4y7"], "attr__class": "btn btn-2x4y7", "attr__id": "buy"},
    {"tag_name": "a", "attr__href": "/cart"},
    {"tag_name": "body"},
]
CHAIN = (
    'span:nth-child="1"nth-of-type="1"text="Buy now";button.btn.btn-2x4y7:attr__class="btn btn-2x4y7"attr__id="buy"'
    'attr_id="buy"nth-child="2"nth-of-type="1";a:attr__href="/cart"href="/cart"nth-child="1"nth-of-type="1";body:x="1"'
)
CLICK = {"selector": "button#buy>span", "text": "Buy now", "href": "/cart"}


@pytest.mark.parametrize(("field", "value"), [("$elements", ELEMENTS), ("$elements_chain", CHAIN)])
@pytest.mark.parametrize(
    ("name", "kind", "event"),
    [
        ("$autocapture", "click", "click"),
        ("$autocapture", "touch", "click"),
        ("$rageclick", "", "rage_click"),
        ("$dead_click", "", "dead_click"),
        ("$copy_autocapture", "", "copy"),
    ],
)
def test_what_is_captured_of_an_element_has_its_selector(
    field: str, value: Any, name: str, kind: str, event: str
) -> None:
    found = row(name, props={field: value, "$event_type": kind, "$ce_version": 1})
    assert found.event == event
    assert said(found) == CLICK


@pytest.mark.parametrize(
    ("kind", "chain", "event", "kept"),
    [
        (
            "submit",
            'form.new:attr__name="sign-up"nth-child="1";div.box:x="1"',
            "form_submit",
            {"selector": "div.box>form.new", "form_id": "sign-up"},
        ),
        ("submit", 'form:nth-child="1";div:x="1"', "form_submit", {"selector": "div>form", "form_id": "div>form"}),
        ("change", 'input:attr__name="email"', "form_change", {"selector": "input", "last_field": "email"}),
        ("hover", 'p:x="1"', "autocapture", {"selector": "p"}),
    ],
)
def test_forms_that_are_captured_have_their_names(kind: str, chain: str, event: str, kept: dict[str, Any]) -> None:
    found = row("$autocapture", props={"$elements_chain": chain, "$event_type": kind})
    assert (found.event, said(found)) == (event, kept)


@pytest.mark.parametrize(
    "chain",
    [
        "",
        ";;;",
        '"',
        '"\\"' * 5000,
        "a" * 100_000,
        'a="' * 5000,
        "a.b:" * 5000,
        'a:text="' + "x" * 500_000 + '"',
        7,
        [1],
    ],
)
def test_a_chain_of_any_form_is_read_within_bounds(chain: Any) -> None:
    found = row("$autocapture", props={"$elements_chain": chain, "$event_type": "click"})
    assert found.event == "click"
    assert len(found.props) < 2_000


@pytest.mark.parametrize(
    "elements", [7, {}, [7, None, {}], [{"tag_name": 7}], [{"classes": 4}], [{"tag_name": "p"}] * 999]
)
def test_elements_of_any_form_are_read_within_bounds(elements: Any) -> None:
    found = row("$autocapture", props={"$elements": elements, "$event_type": "click"})
    assert found.event == "click"
    assert len(found.props) < 100


@pytest.mark.parametrize("name", ["$snapshot", "$snapshot_items", "$performance_event", "$$heatmap", "$heatmap"])
def test_what_nothing_here_reads_is_dropped_with_its_reason(name: str) -> None:
    (drop,) = told(name)
    assert isinstance(drop, Drop)
    assert (drop.reason, drop.message_id) == (DropReason.UNSUPPORTED, UUID)


def test_an_opt_in_is_a_yes_to_being_measured() -> None:
    found = row("$opt_in")
    assert (found.event, said(found)) == ("consent", {"analytics": True, "source": "page"})


IDENTIFIED = {"distinct_id": "user-17", "$user_id": "user-17", "$is_identified": True}


@pytest.mark.parametrize(
    ("event", "props", "distinct_id"),
    [
        ("$pageview", IDENTIFIED, "user-17"),
        ("$identify", {**IDENTIFIED, "$anon_distinct_id": DEVICE}, "user-17"),
        ("quiz_done", {"$is_identified": None, "$user_id": "user-17"}, "user-17"),
    ],
)
def test_a_page_that_names_a_user_is_believed_only_with_a_signature(
    event: str, props: dict[str, Any], distinct_id: str
) -> None:
    unsigned = row(event, props=props, distinct_id=distinct_id)
    assert who(unsigned)[1:] == (f"~{DEVICE}", f"~{DEVICE}", "")
    believed = row(event, props=props, distinct_id=distinct_id, site=OPEN)
    assert who(believed)[1:] == ("user-17", DEVICE, "user-17")
    signed = msgspec.structs.replace(SITE, identity_secrets=(b"s3",))
    signature = hmac.new(b"s3", b"user-17", "sha256").hexdigest()
    for field in ("userHash", "user_hash"):
        proven = row(event, props={**props, field: signature}, distinct_id=distinct_id, site=signed)
        assert who(proven)[1:] == ("user-17", f"~{DEVICE}", "user-17")
        assert field not in said(proven)


def test_a_visitor_who_logged_out_is_no_user_though_the_device_has_another_id() -> None:
    after = {"distinct_id": "0192f0c1-7e4b-7c3a-9a51-00000000beef", "$is_identified": False}
    found = row("$pageview", props=after, distinct_id=after["distinct_id"], site=OPEN)
    assert who(found)[1:] == (after["distinct_id"], after["distinct_id"], "")


def test_visitors_without_an_id_of_their_own_are_not_taken_for_one() -> None:
    cookieless = {"distinct_id": "$posthog_cookieless", "$device_id": None, "$cookieless_mode": True}
    (drop,) = told("$pageview", props=cookieless, distinct_id="$posthog_cookieless")
    assert isinstance(drop, Drop)
    assert drop.reason is DropReason.NO_VISITOR


def test_a_server_is_believed_and_its_own_machine_is_no_visitors() -> None:
    found = row("order_shipped", server=True, props={"parcels": 2})
    assert who(found) == ("order_shipped", "user-17", "", "user-17")
    assert (found.device, found.os, found.browser) == ("", "", "")
    assert said(found) == {"parcels": 2}


@pytest.mark.parametrize("browser", [f"~{DEVICE}", "0192f0c1-7e4b-8c3a-9a51-6f0d3b8c2e11"])
def test_a_server_may_speak_of_a_browser(browser: str) -> None:
    assert who(row("quiz_done", server=True, distinct_id=browser))[1:] == (browser, browser, "")


def test_a_server_names_a_person_and_the_browser_of_the_page_by_the_id_that_the_page_gave_it() -> None:
    identified, joined = told("$identify", server=True, props={"$anon_distinct_id": DEVICE, "$set": {"plan": "pro"}})
    assert who(identified) == ("identify", "user-17", DEVICE, "user-17")
    assert said(identified) == {"traits": {"plan": "pro"}, "proven_by": "server"}
    assert who(joined) == ("alias", "user-17", f"~{DEVICE}", "user-17")
    assert len(told("$identify", server=True, props={"$anon_distinct_id": DEVICE}, site=OPEN)) == 1
    # A user's id can be guessed: whoever did would become that user.
    assert len(told("$identify", server=True, props={"$anon_distinct_id": "user-16"})) == 1


@pytest.mark.parametrize(
    ("lib", "distinct_id", "alias", "joined"),
    [
        ("posthog-python", "guest-1", "user-17", ("guest-1", "user-17")),
        ("posthog-node", "user-17", "guest-1", ("guest-1", "user-17")),
        ("posthog-node", "user-17", DEVICE, (DEVICE, "user-17")),
        ("posthog-node", DEVICE, "user-17", (DEVICE, "user-17")),
        ("posthog-python", DEVICE, "user-17", (DEVICE, "user-17")),
        ("posthog-python", "user-17", DEVICE, (DEVICE, "user-17")),
    ],
)
def test_an_alias_joins_the_passing_id_to_the_lasting_one(
    lib: str, distinct_id: str, alias: str, joined: tuple[str, str]
) -> None:
    props = {"$lib": lib, "distinct_id": distinct_id, "alias": alias}
    found, *apart = told("$create_alias", server=True, props=props, distinct_id=distinct_id)
    assert who(found) == ("alias", joined[1], joined[0], joined[1])
    assert [who(each)[2] for each in apart] == ([f"~{DEVICE}"] if DEVICE in joined else [])
    (drop,) = told("$create_alias", props=props, distinct_id=distinct_id)
    assert isinstance(drop, Drop)
    assert drop.reason is DropReason.IDENTITY_UNPROVEN
    assert who(row("$create_alias", props=props, distinct_id=distinct_id, site=OPEN))[1:3] == joined[::-1]


@pytest.mark.parametrize("event", ["$set", "$identify", "$set_once", "$unset"])
@pytest.mark.parametrize("place", ["beside", "inside"])
def test_traits_are_told_by_events_about_persons(event: str, place: str) -> None:
    traits = {"$set": {"email": "a@b.example", "$browser": "x"}, "$set_once": {"first": 1, "email": "old"}}
    given: dict[str, Any] = {"props": traits} if place == "inside" else traits
    found = row(event, server=True, **given)
    assert who(found) == ("identify", "user-17", "", "user-17")
    assert said(found) == {
        "traits": {"email": "a@b.example"},
        "traits_once": {"first": 1},
        "proven_by": "server",
    }


def test_traits_beside_another_event_are_told_by_an_event_of_their_own() -> None:
    ordered, told_of = told("quiz_done", server=True, props={"$set": {"plan": "pro"}, "score": 7})
    assert (who(ordered)[0], said(ordered)) == ("quiz_done", {"score": 7})
    assert (who(told_of)[0], said(told_of)["traits"]) == ("identify", {"plan": "pro"})
    assert isinstance(told_of, EventRow)
    assert told_of.event_id == f"{UUID}:set"
    assert len(told("$pageview", props={"$set_once": {"$initial_current_url": "x"}})) == 1


def test_an_event_without_a_name_that_sets_traits_is_of_the_route_engage() -> None:
    fields: dict[str, Any] = {"$set": {"plan": "pro"}}
    (found,) = told("", server=True, **fields)
    assert who(found)[0] == "identify"


def test_a_group_is_told_with_its_key_and_properties() -> None:
    props = {"$group_type": "company", "$group_key": "acme", "$group_set": {"seats": 9}}
    found = row("$groupidentify", server=True, props=props)
    assert (found.event, said(found)) == ("group", {"group_id": "acme", "traits": {"seats": 9}})


def test_an_order_in_the_words_of_segment_is_a_purchase() -> None:
    products = [{"product_id": "tent", "price": 60, "quantity": 1}, {"sku": "stove", "price": 20, "quantity": 2}]
    found = row("Order Completed", props={"order_id": "o1", "total": 100, "currency": "EUR", "products": products})
    assert (found.event, found.order_id, found.value, found.currency) == ("purchase", "o1", 100, "EUR")
    assert [each["product_id"] for each in said(found)["items"]] == ["tent", "stove"]


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"timestamp": "2026-11-22T11:59:00+00:00"}, NOON - 60_000),
        ({"timestamp": "2026-11-22T12:59:00.000+01:00"}, NOON - 60_000),
        ({"timestamp": None, "offset": 60_000}, NOON - 60_000),
        ({"timestamp": None, "offset": "x"}, NOON),
        ({"timestamp": None}, NOON),
    ],
)
def test_an_event_happened_when_it_says_or_so_long_before_it_was_sent(fields: dict[str, Any], at: int) -> None:
    assert row("quiz_done", **fields).ts == format_time(at)


@pytest.mark.parametrize(
    "fields",
    [
        {"distinct_id": None, "properties": None},
        {"distinct_id": {"a": 1}},
        {"distinct_id": True},
        {"distinct_id": ""},
    ],
)
def test_an_event_of_nobody_is_dropped(fields: dict[str, Any]) -> None:
    (drop,) = told("quiz_done", **fields, props={"distinct_id": None})
    assert isinstance(drop, Drop)
    assert drop.reason is DropReason.NO_VISITOR


@pytest.mark.parametrize("event", [None, 7, "", " ", [], "$", "x" * 101])
def test_an_event_without_a_name_is_dropped(event: Any) -> None:
    (drop,) = told(event)
    assert isinstance(drop, Drop)
    assert drop.reason is DropReason.NO_NAME


@pytest.mark.parametrize(
    "field", ["$set", "$set_once", "$unset", "properties", "options", "session_id", "uuid", "timestamp"]
)
@pytest.mark.parametrize("value", [7, "x", [], [[1]], {"a": {"b": 1}}, True, None])
def test_fields_of_any_form_harm_nobody(field: str, value: Any) -> None:
    found, *_ = told("quiz_done", server=True, **{field: value})
    assert isinstance(found, EventRow)
    assert found.visitor_id == "user-17"
