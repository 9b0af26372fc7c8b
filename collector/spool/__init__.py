"""Keeps accepted rows on disk, which is what a 200 promises, and moves them into ClickHouse exactly once."""
