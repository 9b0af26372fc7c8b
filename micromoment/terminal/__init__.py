"""What commands print: tables, times, explanations and logs, as text or JSON."""
