"""Rules that a dataset has to keep, and what is said where it breaks them."""
