"""Whether the inputs of a gate leak: where something of them cannot be opened, that is the answer."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import EvaluationError
from ..results import Check
from ..spec import GateSpec
from .inputs import Failed, Inputs, attempt, failed_check
from .leakage import NAME, Leaks, leaks, uncompared


def look(inputs: Inputs, progress: Callable[[str, int, int], None] | None = None) -> Leaks | None:
    """Compare the holdout of a gate with its training data.

    Returns
    -------
    Leaks or None
        ``None`` where nobody named the training data, or other checks say already what is missing.
    """
    dataset, asked = inputs.dataset, inputs.spec.leakage
    if asked is None or isinstance(dataset, Failed) or isinstance(inputs.lock, Failed):
        return None
    training, pinned = inputs.beside(NAME, asked.train)
    if isinstance(training, Failed):
        return Leaks(check=training.check, rows={})
    nothing = uncompared(training, dataset, pinned.summary)
    if pinned.fails:
        return Leaks(check=pinned, record=nothing, rows={})
    models = [model for model in inputs.models.values() if not isinstance(model, Failed)]
    found = attempt(
        NAME,
        training.source,
        lambda: leaks(inputs.spec, dataset, training, models, pin=pinned.summary, progress=progress),
    )
    return Leaks(check=found.check, record=nothing, rows={}) if isinstance(found, Failed) else found


def not_asked(spec: GateSpec) -> Check:
    """Return the check of a gate that does not say what its models were trained on."""
    error = EvaluationError(
        f"gate {spec.name!r} does not say what its models were trained on.",
        'Give it leakage = "data/train.parquet".',
    )
    return failed_check(NAME, spec.dataset, error)
