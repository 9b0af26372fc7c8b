-- A message that failed may be asked for again. Its rows then count one more, so that what became of the earlier round
-- is not taken for what became of this one.
ALTER TABLE messages
    ADD COLUMN IF NOT EXISTS retries UInt16 DEFAULT 0 COMMENT 'how often a person asked for it again after it had failed';
