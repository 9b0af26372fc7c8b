"""A visitor who refuses consent leaves no trace."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from e2e.shopper import Shopper
from e2e.stack import Stack
from e2e.waiting import wait_for

#: As a browser does that has Global Privacy Control switched on.
OBJECT_BY_BROWSER = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"
#: As a page finds it whose visitor has refused on an earlier visit.
REFUSED_EARLIER = "localStorage.setItem('mm_consent', '{\"analytics\": false}')"


@pytest.mark.parametrize("objection", [OBJECT_BY_BROWSER, REFUSED_EARLIER], ids=["browser", "visitor"])
def test_of_a_visitor_who_objects_nothing_is_sent_nor_kept(shopper: Shopper, agreeing: Shopper, objection: str) -> None:
    requests: list[str] = []
    shopper.page.on("request", lambda request: requests.append(request.url))
    shopper.page.add_init_script(objection)
    walk(shopper, agreeing)
    sent = [url for url in requests if url.startswith(shopper.stack.collector_url)]
    assert sent
    assert {url.rsplit("/", 1)[1] for url in sent} == {"mm.js"}
    kept = shopper.page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('mm_'))")
    assert set(kept) <= {"mm_consent"}


@pytest.fixture
def agreeing(new_shopper: Callable[[], Shopper]) -> Shopper:
    """Somebody else, who may be observed, and whose page is open."""
    agreeing = new_shopper()
    agreeing.open_home()
    agreeing.wait_for_event("page_view")
    return agreeing


def walk(shopper: Shopper, agreeing: Shopper) -> None:
    """Cause events, and wait until they would have been stored: somebody who agrees caused one after them that is."""
    shopper.open("/category/packs")
    shopper.page.wait_for_function("window.micromoment.version")
    shopper.point_at("fell-28-daypack")
    shopper.choose_product("fell-28-daypack")
    shopper.page.wait_for_function("window.micromoment.version")
    shopper.tell("track", "said_no")
    agreeing.tell("track", "said_after_that")
    agreeing.wait_for_event("said_after_that")


def test_refusing_in_the_middle_ends_the_capture(shopper: Shopper, agreeing: Shopper, stack: Stack) -> None:
    shopper.open_home()
    visitor = shopper.anonymous_id
    shopper.tell("track", "said_yes")
    shopper.wait_for_event("said_yes")
    shopper.tell("consent", {"analytics": False})
    names = f"SELECT arraySort(groupArray(event)) AS names FROM events WHERE anonymous_id = '{visitor}'"
    # The answer itself is kept, as the proof of what was said.
    before = wait_for(lambda: rows if "consent" in (rows := stack.sql(names))[0]["names"] else None, "the refusal")
    walk(shopper, agreeing)
    assert stack.sql(names) == before
    assert stack.sql("SELECT count() AS events FROM events WHERE event = 'said_no'") == [{"events": 0}]


def test_agreeing_later_begins_the_capture(shopper: Shopper) -> None:
    shopper.page.add_init_script(OBJECT_BY_BROWSER)
    shopper.open_home()
    shopper.page.wait_for_function("window.micromoment.version")
    shopper.tell("consent", {"analytics": True})
    shopper.wait_for_event("page_view", path="/")
    shopper.wait_for_event("consent", analytics=True)
