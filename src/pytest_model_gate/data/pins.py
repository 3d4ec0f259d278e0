"""What the project agreed to, whether a dataset is that, and how to agree to something new."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

from ..hooks import DatasetProtocol, version_of
from ..redact import redact
from ..results import Check, Finding, Verdict
from ..wording import nearest, shorten, some
from .profile import ColumnProfile, profile

LOCK_NAME = "model-gate.lock"
#: The two ways to write the lock; every message that asks for it names them.
PIN_COMMAND = "`model-gate pin` (or `pytest --gate-pin`)"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPin:
    """The content of a dataset that the project agreed to.

    Parameters
    ----------
    source : str
        As the dataset calls itself.
    digest : str
        ``"sha256:<hex>"`` over all of its content.
    rows : int
        How many rows it has.
    columns : tuple of (str, str)
        Names and types, in order.
    created : datetime.date
        When this content was pinned.
    version : str
        What the source meant by then, where it has versions of its own: a commit, a snapshot. Empty: none.
    resolved : str
        Where it came from, in words. Empty: from what ``source`` says.
    profile : tuple of ColumnProfile
        Its columns in a few numbers, so that a change can be read. Empty: an older lock has none.
    """

    source: str
    digest: str
    rows: int
    columns: tuple[tuple[str, str], ...]
    created: datetime.date
    version: str = ""
    resolved: str = ""
    profile: tuple[ColumnProfile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPin:
    """A model file that may run code when it is loaded, and the digest that was agreed to."""

    source: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What the lock file holds; both tuples are sorted by source."""

    datasets: tuple[DatasetPin, ...] = ()
    models: tuple[ModelPin, ...] = ()

    def dataset(self, source: str) -> DatasetPin | None:
        """Return the pin of a dataset, or ``None``."""
        return next((pin for pin in self.datasets if pin.source == source), None)

    def model_digests(self) -> dict[str, str]:
        """Return model source -> digest, as ``SourceContext.pinned_models`` wants it."""
        return {pin.source: pin.digest for pin in self.models}

    def versions(self) -> dict[str, str]:
        """Return dataset source -> version, as ``SourceContext.pinned_versions`` wants it."""
        return {pin.source: pin.version for pin in self.datasets if pin.version}


def check_pin(lock: Lock, dataset: DatasetProtocol) -> Check:
    """Return whether a dataset is what the lock file agreed to.

    Parameters
    ----------
    lock : Lock
        What was agreed.
    dataset : DatasetProtocol
        What was opened.

    Returns
    -------
    Check
        Named ``"pin"``; its summary is ``"pinned"``, ``"unpinned"`` or ``"changed"``.
    """
    pinned = lock.dataset(dataset.source)
    if pinned is None:
        return _invalid("unpinned", _unpinned(lock, dataset))
    if pinned.digest == dataset.digest:
        return Check(name="pin", verdict=Verdict.PASS, summary="pinned")
    change = _change(pinned, dataset)
    finding = Finding(
        subject=dataset.source,
        problem=(
            f"{dataset.source} is not what {LOCK_NAME} pins: {short_digest(pinned.digest)} is pinned, "
            f"{short_digest(dataset.digest)} was read. {change[0].upper() + change[1:]}."
        ),
        remedy=f"If it is meant, run {PIN_COMMAND} and commit {LOCK_NAME}; otherwise restore the data.",
    )
    if pinned.version and pinned.version == version_of(dataset):
        # Nobody meant that: a version never changes, so there is nothing here to agree to.
        finding = replace(
            finding,
            problem=f"{finding.problem} It is the pinned version all the same: "
            "what it is made of was damaged or replaced.",
            remedy="Restore what was there, from a backup or another copy; or pin another version.",
        )
    return _invalid("changed", finding)


def pin(lock: Lock, dataset: DatasetProtocol, today: datetime.date) -> Lock:
    """Return the lock with the content of a dataset agreed to; the same lock where it already is.

    A dataset that is news is read once more, for its profile.
    """
    old = lock.dataset(dataset.source)
    # The date is that of the content: pinning the same content again is no news.
    known = old is not None and _same(old, dataset)
    if old is not None and known and (old.profile or not old.columns):
        return lock
    created = old.created if old is not None and known else today
    new = replace(as_pin(dataset, created), profile=profile(dataset))
    others = (other for other in lock.datasets if other.source != new.source)
    return replace(lock, datasets=tuple(sorted((*others, new), key=lambda pin: pin.source)))


def as_pin(dataset: DatasetProtocol, created: datetime.date) -> DatasetPin:
    """Return what a pin of a dataset says, all but its profile."""
    return DatasetPin(
        source=dataset.source,
        digest=dataset.digest,
        rows=dataset.rows,
        columns=tuple(dataset.columns),
        created=created,
        version=version_of(dataset),
        resolved="" if dataset.resolved == dataset.source else redact(dataset.resolved),
    )


def _same(pinned: DatasetPin, dataset: DatasetProtocol) -> bool:
    """Whether a pin says what the dataset is now; where it came from plays no part."""
    now = as_pin(dataset, pinned.created)
    return replace(pinned, profile=(), resolved="") == replace(now, resolved="")


def pin_model(lock: Lock, source: str, digest: str) -> Lock:
    """Return the lock with a model file agreed to: it may be loaded although it can run code."""
    new = ModelPin(source=source, digest=digest)
    others = (other for other in lock.models if other.source != source)
    return replace(lock, models=tuple(sorted((*others, new), key=lambda pin: pin.source)))


def short_digest(digest: str) -> str:
    """Return as much of a digest as a reader compares.

    Examples
    --------
    >>> short_digest("sha256:" + "5c0d12ab34ef" + "0" * 52)
    'sha256:5c0d12ab34ef'
    """
    kind, _, hexed = digest.partition(":")
    return f"{kind}:{hexed[:12]}"


def _invalid(summary: str, finding: Finding) -> Check:
    return Check(name="pin", verdict=Verdict.INVALID, summary=summary, findings=(finding,))


def _unpinned(lock: Lock, dataset: DatasetProtocol) -> Finding:
    same = next((pin.source for pin in lock.datasets if pin.digest == dataset.digest), "")
    near = same or nearest(dataset.source, [pin.source for pin in lock.datasets])
    hint = f" The same content is pinned as '{shorten(same, 120)}'." if same else ""
    hint = hint or (f" Pinned is '{shorten(near, 120)}'." if near else "")
    return Finding(
        subject=dataset.source,
        problem=f"{dataset.source} is not pinned in {LOCK_NAME}.{hint}",
        remedy=f"Run {PIN_COMMAND} and commit {LOCK_NAME}.",
    )


def _change(pinned: DatasetPin, dataset: DatasetProtocol) -> str:
    """Say what changed, as far as the lock can tell."""
    parts = []
    if pinned.rows != dataset.rows:
        parts.append(f"rows {pinned.rows:,} -> {dataset.rows:,}")
    old, new = dict(pinned.columns), dict(dataset.columns)
    removed = [name for name in old if name not in new]
    added = [name for name in new if name not in old]
    retyped = [
        f"{name} ({old[name]} -> {new[name]})" for name in old if name in new and old[name] != new[name]
    ]
    for what, names in (("removed", removed), ("added", added), ("retyped", retyped)):
        if names:
            parts.append(f"{'column' if len(names) == 1 else 'columns'} {what}: {some(names)}")
    if not parts and list(old) != list(new):
        parts.append("same rows, columns in another order")
    return "; ".join(parts) or "same rows and columns, other content"
