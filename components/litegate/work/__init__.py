"""What a step sees of the outside while it runs: its folder, its files, and the user's data through the broker."""
