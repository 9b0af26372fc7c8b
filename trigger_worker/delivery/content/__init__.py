"""The content of messages: template files, the facts that they may use, and the content that they render to."""
