"""The user's trained model: checked before anything of it is loaded, then loaded, run and exported."""
