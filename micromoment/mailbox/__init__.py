"""The mailbox of the demo: it takes emails, text messages and chat messages, and shows them in a browser."""
