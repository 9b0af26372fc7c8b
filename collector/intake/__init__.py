"""From the bytes of a request to rows of events: an ordered list of pure steps."""
