"""Models behind HTTP: MLflow's ``/invocations``, and the Open Inference Protocol (``/v2/models/NAME``)."""

from __future__ import annotations

#: What a record calls a model that is served elsewhere.
KIND = "endpoint"


def is_endpoint(source: str) -> bool:
    """Return whether a source is an endpoint's."""
    return source.lower().startswith(("http://", "https://"))
