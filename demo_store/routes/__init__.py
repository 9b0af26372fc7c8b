"""The shop's pages and forms, by what they are about."""
