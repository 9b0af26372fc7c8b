-- The currency of an event's money where it is not the site's, and the site has no rate for it: rules read such amounts
-- only where they name the currency.
ALTER TABLE events ADD COLUMN IF NOT EXISTS foreign_currency LowCardinality(String)
    COMMENT 'the currency, where it is not the one of the site' AFTER currency;
