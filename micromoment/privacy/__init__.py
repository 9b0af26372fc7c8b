"""Erases and exports what an installation holds of a person, and keeps what was erased from coming back."""
