"""The facts of the person whom a message is for: profile, permission, addresses, cart."""
