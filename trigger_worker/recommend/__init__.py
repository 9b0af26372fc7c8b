"""Which products go with which, from what visitors bought and looked at."""
