"""What makes a 200 true: accepted rows on disk, and from there into ClickHouse exactly once."""
