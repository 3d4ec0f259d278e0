"""How far two samples are apart: effects with one-sided bounds, never a bare p-value."""
