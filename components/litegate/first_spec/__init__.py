"""A first spec for a model and its data, decided from the model's signature and from what the data hold."""
