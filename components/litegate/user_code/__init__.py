"""The user's own code that a spec names: found, identified by its source, loaded."""
