"""Text that commands print and read: tables, explanations, previews and reports."""
