"""The messages of a firing: queued, versioned, ended by what the visitor does, retried by hand."""
