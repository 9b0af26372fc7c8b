"""What runs: each role builds everything that it needs from the settings, once."""
