"""The join of the rooms below: a ``GateSpec`` in, a ``GateRecord`` out. Prints nothing."""
