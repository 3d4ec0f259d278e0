"""What is different between the pinned and the present content of a dataset: ``model-gate pin --diff``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

import pluggy

from ..data.changes import RowChanges, row_changes
from ..data.history import former_content
from ..data.lock import lock_path, read_lock
from ..data.pins import DatasetPin, as_pin, short_digest
from ..data.profile import profile
from ..data.sources.files import open_files
from ..data.sources.local import is_local
from ..errors import ModelGateError
from ..hooks import DatasetProtocol
from ..results import DriftRecord
from ..spec import Drift, GateSpec, SourceContext
from .drift import compare_datasets
from .registry import open_dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDiff:
    """A dataset as it was pinned and as it is now.

    Parameters
    ----------
    pinned : DatasetPin or None
        ``None``: it isn't pinned.
    now : DatasetPin
        What a pin would say of it now.
    rows : RowChanges or None
        ``None``: nothing changed, or the former rows cannot be had.
    compared_with : str
        Where the former rows were found.
    why_no_rows : str
        Why they weren't. Empty: they were, or nothing changed.
    drift : DriftRecord or None
        How far the columns have moved. ``None``: there are no former rows, or nothing that can be compared.
    """

    pinned: DatasetPin | None
    now: DatasetPin
    rows: RowChanges | None = None
    compared_with: str = ""
    why_no_rows: str = ""
    drift: DriftRecord | None = None

    @property
    def same(self) -> bool:
        """Whether a gate would find what was agreed to."""
        return self.pinned is not None and self.pinned.digest == self.now.digest


def diff_pin(
    spec: GateSpec, registry: pluggy.PluginManager, *, against: str = "", today: date | None = None
) -> PinDiff:
    """Compare the dataset of a gate, as it is now, with what the lock file says of it.

    Parameters
    ----------
    spec : GateSpec
        The gate; its ``key`` tells which row is which.
    registry : pluggy.PluginManager
        Sources.
    against : str
        A dataset source with the former rows. Empty: they are looked for where the pin says they were, and
        in the history of git.

    Raises
    ------
    ModelGateError
        If the present dataset or ``against`` cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="model-gate-") as scratch:
        context = SourceContext(
            root=spec.root, tracking_uri=spec.tracking_uri, key=spec.key, pinning=True, scratch=scratch
        )
        return _diff(spec, registry, context, against, today or date.today())


def _diff(
    spec: GateSpec, registry: pluggy.PluginManager, context: SourceContext, against: str, today: date
) -> PinDiff:
    dataset = open_dataset(registry, spec.dataset, context)
    pinned = read_lock(lock_path(spec.root)).dataset(dataset.source)
    now = as_pin(dataset, today)
    if pinned is None or (pinned.digest == now.digest and not against):
        return PinDiff(pinned=pinned, now=now)
    now = replace(now, profile=profile(dataset))
    if against:
        former = open_dataset(registry, against, context)
        note = "" if former.digest == pinned.digest else ", which is not the pinned content"
        return PinDiff(
            pinned=pinned,
            now=now,
            rows=row_changes(former, dataset, spec.key),
            compared_with=f"{former.source} ({short_digest(former.digest)}{note})",
            drift=_drift(former, dataset, spec),
        )
    with _former(pinned, registry, context) as (found, where):
        if found is None:
            return PinDiff(pinned=pinned, now=now, why_no_rows=where)
        changes = row_changes(found, dataset, spec.key)
        moved = _drift(found, dataset, spec)
    return PinDiff(pinned=pinned, now=now, rows=changes, compared_with=where, drift=moved)


def _drift(former: DatasetProtocol, dataset: DatasetProtocol, spec: GateSpec) -> DriftRecord | None:
    """Compare the columns of two versions; whether they are told apart as a whole is no matter here."""
    asked = replace(spec.drift or Drift(reference=former.source), overall=False, blocks="", columns=())
    try:
        return compare_datasets(
            former, dataset, asked, alpha=spec.alpha, seed=spec.seed, target=spec.target,
            left_out={spec.key: "the key"} if spec.key else None,
        )  # fmt: skip
    except ModelGateError:
        return None  # no rows, or no column of both: the lines above say it


@contextmanager
def _former(
    pinned: DatasetPin, registry: pluggy.PluginManager, context: SourceContext
) -> Iterator[tuple[DatasetProtocol | None, str]]:
    """Yield the pinned content and where it was found, or ``None`` and why it wasn't."""
    if pinned.version:
        versions = MappingProxyType({pinned.source: pinned.version})
        try:
            found = open_dataset(registry, pinned.source, replace(context, pinned_versions=versions))
        except ModelGateError as error:
            yield None, f"the pinned version cannot be opened: {error.what}"
            return
        if found.digest == pinned.digest:
            yield found, found.resolved
        else:
            yield None, f"version {pinned.version} has other content than it had when it was pinned"
        return
    path = Path(context.root, pinned.source)
    kept = former_content(path, pinned.digest) if is_local(pinned.source) and path.suffix else None
    if kept is None:
        yield None, "the pinned content is neither here nor in the history of git"
        return
    commit, content = kept
    with tempfile.TemporaryDirectory(prefix="model-gate-") as folder:
        Path(folder, path.name).write_bytes(content)
        yield open_files(path.name, folder), f"commit {commit[:12]}"
