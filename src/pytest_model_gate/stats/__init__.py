"""Arrays in, intervals out: no metric, no model and no policy is known here."""
