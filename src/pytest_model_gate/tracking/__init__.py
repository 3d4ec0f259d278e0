"""Verdicts to a tracker, and aliases of its registry: what a gate decided, where the model lives."""
