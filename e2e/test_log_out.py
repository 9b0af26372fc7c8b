"""The visitor of the page that follows a log-out is a new one."""

from __future__ import annotations

from e2e.shopper import Shopper


def test_the_view_after_a_log_out_is_nobodys(shopper: Shopper) -> None:
    shopper.sign_up("greta@example.com", "Greta")
    known = shopper.wait_for_event("page_view", path="/account")
    before = shopper.anonymous_id
    with shopper.page.expect_navigation():
        shopper.log_out()
    shopper.wait_for_event("page_view")
    assert shopper.anonymous_id != before
    (after,) = shopper.events("page_view")
    assert after["user_id"] == ""
    query = f"SELECT count() AS views FROM events WHERE anonymous_id = '{before}' AND event = 'page_view'"
    assert shopper.stack.sql(f"{query} AND ts > '{known['ts']}'") == [{"views": 0}]
