from __future__ import annotations

import random
from itertools import islice

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.intake import pipeline
from collector.intake.draft import DropReason, Receipt
from tests.collector.intake.recording import generated, made, recorded
from tests.collector.messages import SHOP

RECORDED = recorded()
seeds = st.integers(0, 2**32)


def test_recorded_batches_make_the_rows_and_drops_that_they_made_before() -> None:
    for number, batch in enumerate(RECORDED):
        assert made(batch) == batch, f"line {number + 1}"


def test_the_record_is_wide() -> None:
    rows = [row for batch in RECORDED for row in batch.rows]
    reasons = {reason for batch in RECORDED for _, reason, _ in batch.drops}
    assert len(rows) >= 100
    # The others come of size, numbers, repeats, erasures, proofs and webhooks, and have tests of their own.
    assert reasons >= {
        DropReason.MALFORMED,
        DropReason.NO_NAME,
        DropReason.RESERVED,
        DropReason.NO_VISITOR,
        DropReason.BAD_ID,
        DropReason.NO_TIMESTAMP,
        DropReason.NO_CONSENT,
    }
    assert {row.type for row in rows} == {"track", "page", "screen", "identify", "group", "alias"}
    assert {row.source for row in rows} == {"live", "import"}


@given(seed=seeds)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_message_makes_the_same_row_whatever_came_before_it(seed: int) -> None:
    for batch in islice(generated(random.Random(seed)), 4):
        alone = [made(msgspec.structs.replace(batch, batch=[raw])) for raw in batch.batch]
        together = made(batch)
        assert together.rows == [row for outcome in alone for row in outcome.rows]
        assert together.drops == [drop for outcome in alone for drop in outcome.drops]


@given(seed=seeds)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_row_comes_with_its_own_json(seed: int) -> None:
    batch = next(generated(random.Random(seed)))
    outcome = pipeline.run(batch.batch, SHOP, Receipt(received_at=batch.receipt.received_at), batch.context)
    assert outcome.lines == [msgspec.json.encode(row) for row in outcome.rows]
