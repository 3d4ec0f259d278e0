"""What every test needs."""

from __future__ import annotations

# An in-process pytester run removes from sys.modules what it imported, and numpy refuses to be loaded a
# second time in one process: it has to be there before the first such run.
import numpy  # noqa: F401
import pandas  # noqa: F401

pytest_plugins = ["pytester"]
