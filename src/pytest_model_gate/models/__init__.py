"""Model sources, trust and scoring."""
