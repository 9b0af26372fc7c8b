"""Shopify's webhooks, by what they tell of: orders, carts and checkouts, people, and products."""
