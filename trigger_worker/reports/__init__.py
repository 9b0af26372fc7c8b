"""What commands and the console show: rule states, message lists, previews and test messages."""
