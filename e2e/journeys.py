"""Two visits that together cause every event that the snippet captures."""

from __future__ import annotations

from typing import Final

from e2e.pictures import take_picture
from e2e.shopper import Contact, Shopper

#: Typed or copied by the visitors; nothing of it may leave the page.
SECRET: Final = "sesame-7391"
CONTACT: Final = Contact(email="ada.marten@example.com", street=f"{SECRET} street 7")
CAMPAIGN: Final = "utm_source=letter&utm_medium=email&utm_campaign=autumn"

#: What a page that reloads nothing does to show another view.
_SHOW_COLOUR: Final = "history.pushState({}, '', '?colour=pine')"
_SELECT_HEADING: Final = "getSelection().selectAllChildren(document.querySelector('h1'))"
#: A button that answers to nothing, as on a broken page.
_ADD_DEAD_BUTTON: Final = """
    const button = document.createElement('button');
    button.type = 'button';
    button.id = 'broken';
    button.textContent = 'Notify me';
    document.querySelector('h1').after(button);
"""


def begin_to_look_around(shopper: Shopper) -> None:
    """Browse the shop, and rest on a product."""
    page = shopper.page
    shopper.open(f"/?{CAMPAIGN}")
    take_picture(page, "store-home")
    # Says yes to being watched and no to being addressed, so that no banner stands in the way.
    shopper.tell("consent", {"analytics": True, "marketing": False})
    page.get_by_role("navigation", name="Departments").get_by_role("link", name="Packs & bags").click()
    shopper.point_at("pocket-4-sling")


def look_around(shopper: Shopper) -> None:
    """Look at the product on which the mouse rests, run into an error, and leave without buying."""
    page = shopper.page
    shopper.wait_for_event("hover", duration_ms=3000)
    shopper.choose_product("pocket-4-sling")
    shopper.point_nowhere()
    page.evaluate(_SHOW_COLOUR)
    shopper.wait_for_event("page_view", url=page.url)
    page.go_back()
    page.evaluate(_ADD_DEAD_BUTTON)
    page.locator("#broken").click()
    shopper.wait_for_event("dead_click")
    page.locator("#broken").click(click_count=3)
    page.evaluate(_SELECT_HEADING)
    page.keyboard.press("Control+c")
    page.evaluate("getSelection().empty()")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    shopper.wait_for_event("scroll", depth_pct=100)
    page.locator("#letter-email").fill(f"{SECRET}@example.com")
    shopper.leave_through_the_top()
    shopper.wait_for_event("exit_intent")
    shopper.wait_for_event("dwell", duration_ms=5000, page_type="product")
    for path in ("/size-guide", "/shipping", "/returns", "/membership"):
        shopper.open(path)
    shopper.search("wool")
    shopper.search("zeppelin")
    shopper.wait_for_event("search", search_term="zeppelin")


def buy_something(shopper: Shopper) -> str:
    """Fill a cart, change it, sign up and order; return the number of the order."""
    page = shopper.page
    shopper.open_home()
    shopper.tell("consent", {"analytics": True, "marketing": False})
    shopper.open_product("fell-28-daypack")
    page.get_by_role("button", name="Add to wishlist").first.click()
    page.get_by_role("button", name="Share").click()
    shopper.add_to_cart()
    shopper.remove_first_line()
    shopper.sign_up(CONTACT.email, CONTACT.first_name)
    number = shopper.buy("ember-enamel-mug", CONTACT)
    shopper.wait_for_event("purchase")
    return number
