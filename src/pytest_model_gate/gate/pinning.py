"""Pin what a gate looks at, outside of a judgement: what ``model-gate pin`` does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import MappingProxyType

import pluggy

from ..data.lock import lock_path, pin_model, read_lock, write_lock
from ..data.pins import DatasetPin, as_pin, check_pin
from ..data.profile import profile
from ..errors import EvaluationError, UntrustedError
from ..models.endpoints import KIND as ENDPOINT
from ..redact import redact
from ..results import Check
from ..spec import GateSpec, SourceContext
from .inputs import Inputs
from .registry import build_registry, load_model, open_dataset


def pin_gate(
    spec: GateSpec, registry: pluggy.PluginManager, *, check_only: bool = False, today: date | None = None
) -> Check:
    """Pin the dataset of a gate as it is now, or only check it against its pin.

    Parameters
    ----------
    spec : GateSpec
        The gate.
    registry : pluggy.PluginManager
        Sources.
    check_only : bool
        Whether to leave the lock file alone.
    today : date, optional
        What the lock file says about when.

    Returns
    -------
    Check
        ``pin``: its summary is ``"pinned"`` (nothing changed), ``"pinned now"``, or why not.
    """
    return Inputs(spec, registry, pin=not check_only, today=today or date.today()).pin


def pin_beside(
    spec: GateSpec, registry: pluggy.PluginManager, *, check_only: bool = False, today: date | None = None
) -> tuple[tuple[str, Check], ...]:
    """Pin the other datasets that a gate names, or only compare them with their pins.

    Training data of ``leakage``, the reference of ``drift``, what a rule refers to. Parameters are those of
    :func:`pin_gate`.

    Returns
    -------
    tuple of (str, Check)
        Source, and a check named after the part that asks for it; its summary is ``"pinned"``,
        ``"pinned now"``, ``"not pinned"``, or why not.
    """
    inputs = Inputs(spec, registry, pin=not check_only, today=today or date.today())
    return tuple((source, inputs.beside(name, source).pin) for name, source in inputs.sources_beside())


def look_at(source: str, *, root: str = ".", today: date | None = None) -> tuple[DatasetPin, str]:
    """Return a dataset with its profile, as a gate would open it, and how it stands to the lock file.

    Parameters
    ----------
    source : str
        As a gate names it; extensions of a project's ``conftest.py`` are not known here.
    root : str
        Directory that holds the lock file, and that relative paths start from.
    today : date, optional
        What stands for the day of pinning in the first value.

    Raises
    ------
    ModelGateError
        If it cannot be opened or read.
    """
    lock = read_lock(lock_path(root))
    context = SourceContext(root=root, pinned_versions=MappingProxyType(lock.versions()))
    dataset = open_dataset(build_registry(), source, context)
    shown = replace(as_pin(dataset, today or date.today()), profile=profile(dataset))
    return shown, check_pin(lock, dataset).summary


def trust_model(spec: GateSpec, registry: pluggy.PluginManager, source: str) -> str:
    """Pin the digest of a model that may run code from now on, without loading it.

    Parameters
    ----------
    spec : GateSpec
        A gate that names the model.
    registry : pluggy.PluginManager
        Sources.
    source : str
        As the gate names it.

    Returns
    -------
    str
        The digest that was pinned.

    Raises
    ------
    ModelGateError
        If the model cannot be found, or has no digest.
    """
    context = SourceContext(root=spec.root, tracking_uri=spec.tracking_uri, key=spec.key)
    try:
        model = load_model(registry, source, context)
        digest = model.digest
        if model.kind == ENDPOINT:
            raise EvaluationError(
                f"{redact(source)} is served elsewhere, and has no content that could be pinned.",
                "It needs no pin, as nothing of it runs here; name its version in the source: "
                ".../v2/models/NAME/versions/3",
            )
    except UntrustedError as refused:
        # Refused with the digest of the very bytes: what is pinned has not run.
        digest = refused.digest
    if not digest:
        raise EvaluationError(
            f"{redact(source)} has no content that could be pinned.", "Name it in trusted_sources instead."
        )
    path = lock_path(spec.root)
    write_lock(path, pin_model(read_lock(path), redact(source), digest))
    return digest
