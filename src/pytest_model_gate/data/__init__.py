"""Dataset sources, pins, tables and schema checks."""
