"""Runs a step: looks its result up, else computes it in a confined child process, and publishes what it found."""
