"""Truth and predictions in, value and influence out: no interval and no verdict is known here."""
