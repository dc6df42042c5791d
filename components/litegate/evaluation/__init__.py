"""Running files over the samples of a dataset, in several processes, and in blocks until a verdict is decided."""
