"""Charts drawn from views."""
