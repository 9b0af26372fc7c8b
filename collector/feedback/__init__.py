"""What comes back about a message: opens, clicks, preferences, and the reports of providers."""
