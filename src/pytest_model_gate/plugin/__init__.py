"""The pytest side: hooks, options, marker, fixtures, session, xdist."""
