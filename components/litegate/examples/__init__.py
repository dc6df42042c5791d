"""Whole examples, called by reference as a user's own code would be."""
