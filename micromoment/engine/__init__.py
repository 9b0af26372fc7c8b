"""Access to ClickHouse for commands, also while another process holds the embedded engine."""
