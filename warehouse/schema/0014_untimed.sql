-- An event whose sender's time could not be read, or was too long ago, has the time of its receipt. It did not happen
-- then, so it completes no rule.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS untimed UInt8 DEFAULT 0
    COMMENT '1 when it is not known when it happened: ts is the receipt' AFTER ts;
