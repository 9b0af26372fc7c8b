"""Translates payloads of platforms as the route does, without a collector."""

from __future__ import annotations

from typing import Any

import msgspec

from collector.intake.draft import Drop, Receipt
from collector.intake.pipeline import process
from collector.platforms.known import PLATFORMS
from collector.platforms.platform import Circumstances, Translation, Who
from collector.sites import Site
from tests.collector.messages import NOON, props
from warehouse.event import EventRow

DAY_MS = 86_400_000
NOBODY = Who()


def translated(site: Site, topic: str, payload: object, *, owner: Who = NOBODY, **changes: Any) -> Translation:
    """Return what a payload becomes at noon."""
    webhook = site.webhooks[0]
    around = Circumstances(site, webhook, NOON, NOON - 7 * DAY_MS, owner)
    platform = PLATFORMS[webhook.platform]
    return platform.translate(topic, payload, msgspec.structs.replace(around, **changes))


def rows(translation: Translation, site: Site) -> list[EventRow]:
    """Return the rows that the messages of a translation become; none may be dropped."""
    sent = [(each, Receipt(NOON, is_from_server=True)) for each in translation.messages]
    sent += [(each, Receipt(NOON, source="import")) for each in translation.catalogue]
    made = [process(msgspec.Raw(msgspec.json.encode(each)), site, receipt, {}) for each, receipt in sent]
    dropped = [each for each in made if isinstance(each, Drop)]
    assert not dropped
    return [each for each in made if isinstance(each, EventRow)]


def told(translation: Translation, site: Site) -> list[tuple[str, str]]:
    """Return (event, visitor) of each row."""
    return [(row.event, row.visitor_id) for row in rows(translation, site)]


def facts(row: EventRow) -> dict[str, Any]:
    """Return everything a row says beside its columns."""
    return props(row)
