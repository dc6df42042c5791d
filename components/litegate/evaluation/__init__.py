"""Running files over the samples of a data set, in several processes, and in blocks until a verdict is decided."""
