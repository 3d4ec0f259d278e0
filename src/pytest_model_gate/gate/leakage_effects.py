"""Metrics with and without the rows that stand in the training data: values alone, nothing is judged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..errors import ModelGateError
from ..metrics.metric import Metric
from ..metrics.rows import Predicted
from ..results import LeakEffect
from .canonical import canonical
from .rows import Judged
from .sample import Sample

#: Without all that was found, where several ways of comparing found something.
ANY = "any"


def effects(
    judged: Judged, metrics: Mapping[str, Metric], leaked: Mapping[str, npt.NDArray[np.bool_]]
) -> tuple[LeakEffect, ...]:
    """Return every metric on all rows, and without the leaked ones.

    Parameters
    ----------
    judged : Judged
        The scored rows.
    metrics : mapping
        Those of the gate.
    leaked : mapping
        Which of these rows stand in the training data, by the ways of comparing.
    """
    if not leaked:
        return ()
    n = judged.sample.n
    parts = {"": np.zeros(n, dtype=bool), **leaked}
    if len(leaked) > 1:
        parts[ANY] = np.logical_or.reduce(list(leaked.values()))
    found = []
    for without, gone in parts.items():
        rows = np.flatnonzero(~gone)
        whole = len(rows) == n
        sample = judged.sample if whole else judged.sample.subset(rows) if len(rows) else None
        said = {
            role: predicted if whole else predicted.subset(rows)
            for role, predicted in judged.predicted.items()
            if role != "baseline" and len(rows)
        }
        for name, metric in metrics.items():
            candidate = _value(metric, sample, said.get("candidate"))
            production = _value(metric, sample, said.get("production"))
            gain = None
            if candidate is not None and production is not None:
                scale = max(abs(candidate), abs(production))
                gain = canonical(metric.sign * (candidate - production), scale)
            found.append(
                LeakEffect(
                    without=without,
                    metric=name,
                    rows=len(rows),
                    candidate=candidate,
                    production=production,
                    gain=gain,
                )
            )
    return tuple(found)


def _value(metric: Metric, sample: Sample | None, said: Predicted | None) -> float | None:
    """Return a value; ``None`` where it does not exist on these rows."""
    if sample is None or said is None:
        return None
    try:
        with np.errstate(all="ignore"):
            value = float(metric.value(sample.truth, said))
    except ModelGateError:
        return None
    except Exception:  # noqa: BLE001 - a function of somebody else, which is an error where it is judged
        return None
    return canonical(value) if np.isfinite(value) else None
