"""The edge: HTTP in, durable spool, server-sent events out."""
