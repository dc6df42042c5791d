"""What begins a run, and who is told of what it came to."""
