"""The offers in messages: recommended products and coupon codes."""
