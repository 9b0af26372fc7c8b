"""The facts of the recipient of a message: profile, permission, addresses, cart."""
