"""What the product costs and how fast it answers, measured on the running product."""
