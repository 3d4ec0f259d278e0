"""What a gate's own rules count in a dataset; ``gate/rules.py`` judges it."""
