"""Ways to reach a visitor, each behind one small interface."""
