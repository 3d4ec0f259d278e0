"""How anyone adds a source, a metric or a report format: the hook specifications.

Our own sources and metrics register through the same hooks; there is no private door.

A project registers from its ``conftest.py``::

    def pytest_model_gate_plugins():
        return [my_sources]          # a module or an object with hook implementations

and a distribution through the entry-point group ``pytest_model_gate``::

    [project.entry-points.pytest_model_gate]
    my_sources = "my_package.my_sources"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

from .results import GateRecord, TrackerEntry
from .spec import SourceContext

if TYPE_CHECKING:
    import pandas as pd

PROJECT = "pytest_model_gate"
ENTRY_POINT_GROUP = "pytest_model_gate"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class DatasetProtocol(Protocol):
    """An opened dataset: one immutable version, with the digest of all of its content.

    It may also have a text ``version``: which version its source meant, where the source has versions of
    its own (a commit, a snapshot). The lock file keeps it, and ``SourceContext.pinned_versions`` brings it
    back when the source is opened again.
    """

    source: str
    resolved: str
    digest: str
    rows: int
    columns: tuple[tuple[str, str], ...]

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows in order, only the named columns; at least one (maybe empty) frame."""


def version_of(dataset: DatasetProtocol) -> str:
    """Return the version that a dataset says it is; empty where its source has no versions."""
    return str(getattr(dataset, "version", ""))


def types_of(model: ModelProtocol) -> Mapping[str, str]:
    """Return column -> type, where a model states it in an optional attribute ``types``."""
    found: Mapping[str, str] = getattr(model, "types", None) or {}
    return found


class ModelProtocol(Protocol):
    """A loaded model: one immutable version, with the digest of its content.

    ``columns`` are the dataset columns that it needs, in its order; ``None``: all but the target and
    the gate's own columns. ``classes`` are its class labels; ``None``: a regressor, or unknown.
    """

    # Properties, so that a frozen value is a model too: nobody sets these.
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def resolved(self) -> str: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> tuple[str, ...] | None: ...  # noqa: D102
    @property
    def classes(self) -> tuple[Any, ...] | None: ...  # noqa: D102

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return the predictions for these rows.

        ``want`` is ``"probability"`` (array of shape (rows, classes), or (rows,) for the positive
        class), ``"score"`` (shape (rows,), any scale), ``"label"`` or ``"value"`` (shape (rows,)).
        ``None`` where this model cannot give that.
        """


class TrackerProtocol(Protocol):
    """Where verdicts are written, so that a deployment can ask for them."""

    def log(self, entry: TrackerEntry) -> str:
        """Write what was found of one candidate, and return where, in words.

        Writing the same again must change nothing. Raises a ``ModelGateError`` where it cannot be written.
        """


class HookSpecs:
    """The hooks; implement any of them in a module or class and register that."""

    @hookspec(firstresult=True)
    def model_gate_dataset(self, source: str, context: SourceContext) -> DatasetProtocol | None:
        """Open a dataset source, or return ``None`` where it is somebody else's.

        Example::

            @hookimpl
            def model_gate_dataset(source, context):
                if source.startswith("warehouse:"):
                    return WarehouseTable(source)
        """

    @hookspec(firstresult=True)
    def model_gate_model(self, source: str, context: SourceContext) -> ModelProtocol | None:
        """Load a model source, or return ``None`` where it is somebody else's.

        Example::

            @hookimpl
            def model_gate_model(source, context):
                if source.startswith("vault:"):
                    return VaultModel(source, context.root)
        """

    @hookspec
    def model_gate_metrics(self) -> Sequence[Any] | None:
        """Return ``Metric`` values to add.

        Example::

            @hookimpl
            def model_gate_metrics():
                return [Metric(name="cost", ...)]
        """

    @hookspec(firstresult=True)
    def model_gate_report(self, suffix: str, records: Sequence[GateRecord]) -> str | None:
        r"""Render records for ``--gate-report PATH``, or return ``None`` for a suffix that isn't yours.

        Example::

            @hookimpl
            def model_gate_report(suffix, records):
                if suffix == ".csv":
                    return "\n".join(f"{r.gate},{r.verdict}" for r in records)
        """

    @hookspec(firstresult=True)
    def model_gate_tracker(self, name: str, context: SourceContext) -> TrackerProtocol | None:
        """Return the tracker for ``--gate-log NAME``, or ``None`` for a name that isn't yours.

        Example::

            @hookimpl
            def model_gate_tracker(name, context):
                if name == "neptune":
                    return NeptuneTracker(context.root)
        """
