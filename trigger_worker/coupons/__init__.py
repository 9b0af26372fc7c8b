"""Coupon codes: one for a visitor and a rule."""
