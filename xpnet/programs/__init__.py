"""A training step, traced once and replayed without allocating."""
