import json
from e2e.shopper import Contact
def test_try(shopper):
    shopper.open("/?utm_source=letter&utm_medium=email&utm_campaign=autumn")
    shopper.tell("consent", {"marketing": False})
    shopper.page.get_by_role("link", name="Packs & bags").first.click()
    shopper.point_at("fell-28-daypack")
    shopper.wait_for_event("hover", duration_ms=3000)
    shopper.choose_product("fell-28-daypack")
    shopper.page.get_by_role("button", name="Add to wishlist").click()
    shopper.page.get_by_role("button", name="Share").click()
    shopper.leave_through_the_top()
    shopper.wait_for_event("exit_intent")
    number = shopper.buy("fell-28-daypack", Contact("ada@example.com"))
    shopper.wait_for_event("purchase")
    for row in shopper.events():
        row = {k: v for k, v in row.items() if v not in ("", None, 0)}
        print(json.dumps(row)[:900])
    print(shopper.stack.sql("select * from decisions"))
    print(shopper.stack.sql("select * from fires"))
    print((shopper.stack.folder/"up.log").read_text())
