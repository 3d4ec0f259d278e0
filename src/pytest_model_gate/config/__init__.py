"""Files, markers and command-line options in, a validated ``GateSpec`` out."""
