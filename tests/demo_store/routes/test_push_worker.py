from __future__ import annotations

from tests.demo_store.browsing import Visitor


def test_the_shop_hosts_a_service_worker_that_loads_the_collectors(visitor: Visitor) -> None:
    page = visitor.open("/mm-push-worker.js")
    assert page.headers["content-type"].startswith("text/javascript")
    assert page.text.strip() == 'importScripts("https://collector.example/mm-push-worker.js");'
