"""Shops on platforms: what the webhooks of each platform prove, and the messages of ours that they become."""
