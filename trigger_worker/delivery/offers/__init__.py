"""What a message offers: recommended products and coupon codes."""
