"""The mathematics: layers, losses, initial weights, networks. Imports no array library."""
