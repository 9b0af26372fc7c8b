-- A firing whose event was received late could be known only then: `every` keeps firings apart by this instant, too.
ALTER TABLE fires
    ADD COLUMN IF NOT EXISTS known_at DateTime64(3, 'UTC') DEFAULT at
    COMMENT 'when the match could be known at the earliest: later than at where its event came late' AFTER at;
