"""A training step or a prediction, recorded once and run in the library's own way."""
