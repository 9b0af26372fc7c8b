"""The channels that deliver messages, each an implementation of the protocol in `base`."""
