"""Weights, and what belongs to them: each model in a package of its own with its card."""
