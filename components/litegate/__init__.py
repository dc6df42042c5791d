"""litegate."""
