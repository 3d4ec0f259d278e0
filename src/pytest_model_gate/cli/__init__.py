"""The shell side: ``model-gate``."""
