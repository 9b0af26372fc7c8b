"""What the product uses without doing anything, and what it keeps of what it was sent."""

from __future__ import annotations

import time
from itertools import islice
from typing import Final

from bench.live.checkout import Checkout, Workshop
from bench.live.report import Figure
from bench.live.saturation import Saturation, batches, new_visitors
from bench.live.usage import anonymous_bytes, read_usage, spent
from bench.live.wire import Wire

IDLE_SECONDS: Final = 60.0
SETTLE_SECONDS: Final = 10.0
#: Events of each half of what is kept, of so many visitors, so many a request.
KEPT_EVENTS: Final = 50_000
KEPT_VISITORS: Final = 500
EVENTS_PER_REQUEST: Final = 20
_SENT_WITHIN_SECONDS: Final = 300.0


def measure_idle(checkout: Checkout, workshop: Workshop) -> list[Figure]:
    """Return the cores that `up` uses while nobody sends anything."""
    with workshop.shop(checkout) as product:
        time.sleep(SETTLE_SECONDS)
        before = read_usage(product.session)
        time.sleep(workshop.seconds or IDLE_SECONDS)
        used = spent(before, read_usage(product.session))
        memory = anonymous_bytes(product.session)
    return [
        Figure("idle: product", used.product_cores, "cores"),
        Figure("idle: memory", memory / 1024**2, "MiB"),
        Figure("idle: everything else on the machine", used.other_cores, "cores", compared=False),
    ]


def measure_memory(checkout: Checkout, workshop: Workshop) -> list[Figure]:
    """Return by how much memory grows for each further event, of visitors who were born meanwhile.

    What the first events make grow once, such as the engine's caches, is left out: only the second half counts.
    """
    with workshop.shop(checkout) as product:
        wire = Wire(product.port)
        load = Saturation(wire, 8)
        sizes = []
        for _ in range(2):
            source = islice(batches(new_visitors(KEPT_VISITORS), EVENTS_PER_REQUEST), KEPT_EVENTS // EVENTS_PER_REQUEST)
            load.run(source, _SENT_WITHIN_SECONDS)
            time.sleep(SETTLE_SECONDS)
            sizes.append(anonymous_bytes(product.session))
        wire.close()
    return [
        Figure("memory: growth per further event", (sizes[1] - sizes[0]) / KEPT_EVENTS, "bytes"),
        Figure(f"memory: after {2 * KEPT_EVENTS} events", sizes[1] / 1024**2, "MiB"),
    ]
