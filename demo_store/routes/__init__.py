"""The routes of the shop, by subject."""
