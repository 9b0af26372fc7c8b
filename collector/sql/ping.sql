-- A constant, to learn whether ClickHouse answers.
SELECT 1
