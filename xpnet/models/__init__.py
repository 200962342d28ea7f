"""Models: networks with their variables, on a backend."""
