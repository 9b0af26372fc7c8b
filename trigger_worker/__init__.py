"""The brain: rules become windowed queries, decisions and deliveries."""
