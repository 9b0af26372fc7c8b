"""The gate: an ordered list of checks that every message of every channel passes, banners included."""
