"""pytest-model-gate: make "this model is worse than production" a failing test.

A table of contents. pytest imports this package at every start, so everything is looked up lazily.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .gate.compare import compare as compare
    from .gate.drift_sources import drift as drift
    from .gate.evaluate import evaluate as evaluate
    from .gate.find import find_slices as find_slices
    from .gate.unpaired import compare_unpaired as compare_unpaired
    from .hooks import hookimpl as hookimpl
    from .metrics.function import make_metric as make_metric
    from .metrics.metric import Metric as Metric
    from .results import Comparison as Comparison
    from .results import DriftRecord as DriftRecord
    from .results import GateRecord as GateRecord
    from .results import Interval as Interval
    from .results import SliceSearch as SliceSearch
    from .results import Verdict as Verdict
    from .spec import GateSpec as GateSpec

    __version__: str

__all__ = [
    "Comparison",
    "DriftRecord",
    "GateRecord",
    "GateSpec",
    "Interval",
    "Metric",
    "SliceSearch",
    "Verdict",
    "__version__",
    "compare",
    "compare_unpaired",
    "drift",
    "evaluate",
    "find_slices",
    "hookimpl",
    "make_metric",
]

_WHERE = {
    "Comparison": ".results",
    "DriftRecord": ".results",
    "GateRecord": ".results",
    "GateSpec": ".spec",
    "Interval": ".results",
    "Metric": ".metrics.metric",
    "SliceSearch": ".results",
    "Verdict": ".results",
    "compare": ".gate.compare",
    "compare_unpaired": ".gate.unpaired",
    "drift": ".gate.drift_sources",
    "evaluate": ".gate.evaluate",
    "find_slices": ".gate.find",
    "hookimpl": ".hooks",
    "make_metric": ".metrics.function",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("pytest-model-gate")
    if name in _WHERE:
        return getattr(import_module(_WHERE[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
