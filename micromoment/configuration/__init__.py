"""Settings: where they come from, what they may be, and the secrets kept beside them."""
