"""What every test needs."""

from __future__ import annotations

# An in-process pytester run removes from sys.modules what it imported, and numpy refuses to be loaded a
# second time in one process: it has to be there before the first such run.
import numpy  # noqa: F401
import pandas  # noqa: F401

try:
    from hypothesis import settings
except ModuleNotFoundError:
    pass  # the contracts are tested with nothing but the wheel's own dependencies
else:
    # The same examples on every run of the same tests; no limit of time, because other tests run beside.
    settings.register_profile("fixed", derandomize=True, deadline=None)
    settings.load_profile("fixed")

pytest_plugins = [
    "pytester",
    "systems.seaweed",
    "systems.mlflow_server",
    "systems.mlflow_serving",
    "systems.scripted_http",
    "systems.inference_servers",
]
