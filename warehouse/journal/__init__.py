"""Rows on their way to ClickHouse: durable when acknowledged, inserted exactly once, table by table."""
