"""Web push: from the click that allows notifications to the service worker that shows one."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from playwright.sync_api import Page

from e2e.push_service import running_push_service
from e2e.rules import live_rule
from e2e.shopper import Shopper
from e2e.stack import Stack
from e2e.waiting import wait_for
from tests.trigger_worker.delivery.channels.push_peer import Browser

RULE: Final = """
describe: Tells who looks at something that it is back.
when: view_item
every: 0
send: [{push: back}]
class: transactional
"""
TEMPLATE: Final = "title: '{{ product.name }} is back'\ntext: Only today\nurl: /cart\n"

#: Chromium would ask its maker's service for an address, which tests must do without; all else is the browser's own.
SUBSCRIBED: Final = """
([endpoint, p256dh, auth]) => {
  PushManager.prototype.getSubscription = async () => null;
  PushManager.prototype.subscribe = async (options) => {
    window.subscribedWith = options.applicationServerKey;
    return { toJSON: () => ({ endpoint, keys: { p256dh, auth } }) };
  };
}
"""


def subscribe(shopper: Shopper, browser: Browser) -> None:
    """Visit the shop, and allow notifications there."""
    shopper.page.context.grant_permissions(["notifications"], origin=shopper.stack.store_url)
    shopper.open_home()
    said = browser.subscription
    shopper.page.evaluate(SUBSCRIBED, [said.endpoint, said.p256dh, said.auth])
    shopper.tell("push")
    event = shopper.wait_for_event("push_subscribed")
    assert event["props"] == {"endpoint": said.endpoint, "p256dh": said.p256dh, "auth": said.auth}


def deliver(page: Page, origin: str, payload: dict[str, Any]) -> None:
    """Deliver a payload to the service worker, as the browser does with a push."""
    session = page.context.new_cdp_session(page)
    registrations: list[dict[str, Any]] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda update: registrations.extend(update["registrations"]))
    session.send("ServiceWorker.enable")

    def registered() -> list[dict[str, Any]]:
        page.wait_for_timeout(50)  # lets the browser's messages in, which the clock alone does not
        return [one for one in registrations if one["scopeURL"].endswith("/mm-push/")]

    ours = wait_for(registered, "the service worker")
    session.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": origin, "registrationId": ours[0]["registrationId"], "data": json.dumps(payload)},
    )


def test_who_allowed_notifications_gets_one_that_is_shown_and_reported(shopper: Shopper, stack: Stack) -> None:
    (stack.rules_folder.parent / "templates" / "back.push.yaml").write_text(TEMPLATE)
    with running_push_service(stack.ports["push"]) as browser, live_rule(stack, "back", RULE):
        subscribe(shopper, browser)
        shopper.open_product("fell-28-daypack")
        [notification] = wait_for(lambda: browser.notifications, "a push")
        assert notification.payload["title"] == "Fell 28 Daypack is back"
        deliver(shopper.page, stack.store_url, notification.payload)
        message_id = notification.payload["tag"]
        shopper.wait_for_message(message_id=message_id, channel="push", state="sent")
        shopper.wait_for_message(message_id=message_id, channel="push", state="shown")
    shown = "async () => (await (await navigator.serviceWorker.getRegistrations())[0].getNotifications())[0].title"
    assert shopper.page.evaluate(shown) == "Fell 28 Daypack is back"


@pytest.mark.parametrize("path", ["/mm-push.js", "/mm-push-worker.js"])
def test_the_collector_serves_what_web_push_needs(shopper: Shopper, stack: Stack, path: str) -> None:
    assert shopper.page.request.get(stack.collector_url + path).ok
