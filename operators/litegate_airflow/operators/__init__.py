"""The operators: one thin module each, over a step."""
