"""Losses: what is minimised, how right the outputs are, and what they say."""
