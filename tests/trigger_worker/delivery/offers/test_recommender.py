"""When shelves are read."""

from __future__ import annotations

import pytest

from tests.trigger_worker.stored import NOON, event_row, store
from trigger_worker.delivery.content.missing import MissingFacts
from trigger_worker.delivery.offers.recommender import FRESH_MS, RecommendationRequest, Recommender
from warehouse.connection import Warehouse

WISH = RecommendationRequest("shop")


def test_a_shelf_is_read_when_it_is_first_asked_for(warehouse: Warehouse) -> None:
    recommender = Recommender(warehouse)
    assert recommender.outdated(NOON) == []
    with pytest.raises(MissingFacts) as missing:
        recommender.shelf("shop")
    assert missing.value.wish == WISH
    store(warehouse, event_row("view_item", at=NOON, product_id="tent"))
    recommender.read(WISH, NOON)
    assert list(recommender.shelf("shop").products) == ["tent"]


def test_an_old_shelf_serves_and_is_read_anew_when_somebody_asked_for_it(warehouse: Warehouse) -> None:
    recommender = Recommender(warehouse)
    recommender.read(WISH, NOON)
    assert recommender.outdated(NOON + FRESH_MS) == []
    recommender.shelf("shop")
    assert recommender.outdated(NOON + FRESH_MS - 1) == []
    assert recommender.shelf("shop").read_at == NOON
    assert recommender.outdated(NOON + FRESH_MS) == [WISH]
    assert recommender.outdated(NOON + FRESH_MS) == []
