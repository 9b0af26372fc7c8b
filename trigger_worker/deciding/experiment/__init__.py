"""What experiments found out: sufficient statistics from one query, and pure functions over them."""
