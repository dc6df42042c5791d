"""Metrics: what an artifact scores, for each sample or for a whole set."""
