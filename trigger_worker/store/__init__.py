"""What the worker reads from and writes to ClickHouse: every statement and every insert of this package."""
