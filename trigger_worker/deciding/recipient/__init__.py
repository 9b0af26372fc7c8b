"""Who would receive a message: profile, addresses, consent, and what is in the cart."""
