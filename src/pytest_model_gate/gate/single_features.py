"""Which features predict the target by themselves: read off the judged rows, or a part of many of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..data import table
from ..data.bins import ordered_values
from ..data.features import is_ordered
from ..data.leakage.hashes import row_hashes
from ..data.leakage.plans import Plan, holds
from ..data.leakage.values import bits_of
from ..results import FeatureStrength
from ..spec import GateSpec, Leakage
from ..stats.single_feature import Strength, explains, separates
from ..wording import shorten
from .canonical import canonical

#: So many rows tell enough: which ones is told by their content, and not by their order.
ENOUGH = 100_000
#: Bins of numbers and dates.
_BINS = 100
#: So many of the most frequent classes are asked for.
_CLASSES = 20
#: With fewer rows of a class, or in all of a regression, nothing can be said.
_LEAST = 20
#: So many features are kept in the record where none is too good.
_KEPT = 5


def strengths(
    spec: GateSpec,
    leakage: Leakage,
    frames: Iterable[pd.DataFrame],
    names: Sequence[str],
    declared: Mapping[str, str],
    rows: int,
) -> tuple[FeatureStrength, ...]:
    """Return how well features predict the target by themselves, the best first.

    Parameters
    ----------
    spec, leakage : GateSpec, Leakage
        What is asked.
    frames : iterable of DataFrame
        The judged rows.
    names : sequence of str
        The features.
    declared : mapping
        Types of the columns.
    rows : int
        How many rows there are.

    Raises
    ------
    ModelGateError
        If the target holds neither labels nor numbers.
    """
    sample = _sample(frames, [*names, spec.target], declared, rows)
    statistic = "r2" if spec.task == "regression" else "roc_auc"
    threshold = leakage.single_feature.get(statistic)
    if threshold is None or len(sample) < _LEAST:
        return ()
    target = sample[spec.target]
    targets = _numbers(target) if statistic == "r2" else _classes(target)
    found = []
    for name in names:
        levels, ordered = _levels(sample[name], name, declared.get(name, ""))
        of_feature: list[tuple[Strength, str]] = []
        for label, values in targets:
            if values.dtype == bool:
                told = separates(levels, values, ordered=ordered, alpha=spec.alpha)
            else:
                told = explains(levels, values, alpha=spec.alpha)
            of_feature.append((told, label))
        if of_feature:
            best, label = max(of_feature, key=lambda item: (item[0].low, item[1]))
            found.append(
                FeatureStrength(
                    feature=name,
                    label=label,
                    statistic="r2" if statistic == "r2" else "roc_auc",
                    value=canonical(float(best.value)),
                    low=canonical(float(best.low)),
                    threshold=float(threshold),
                    rows=len(sample),
                )
            )
    found.sort(key=lambda each: (-each.low, each.feature))
    return tuple(each for place, each in enumerate(found) if place < _KEPT or each.proven)


def _sample(
    frames: Iterable[pd.DataFrame], names: Sequence[str], declared: Mapping[str, str], rows: int
) -> pd.DataFrame:
    """Return all rows, or of many rows those whose hashes are smallest."""
    kept: list[pd.DataFrame] = []
    share = min(1.0, ENOUGH / max(1, rows))
    limit = np.uint64(min(2**64 - 1, int(share * 2**64)))
    for frame in frames:
        if share == 1.0:
            kept.append(frame[list(names)])
            continue
        columns = []
        for name in names:
            held = holds(frame[name], declared.get(name, ""))
            columns.append(Plan(name, held.kind, held.bits))
        kept.append(frame.loc[row_hashes(frame, columns) < limit, list(names)])
    return kept[0] if len(kept) == 1 else pd.concat(kept, ignore_index=True)


def _numbers(target: pd.Series[Any]) -> list[tuple[str, npt.NDArray[Any]]]:
    values = table.numbers(target, "target")
    return [("", values)] if len(np.unique(values)) > 1 else []


def _classes(target: pd.Series[Any]) -> list[tuple[str, npt.NDArray[Any]]]:
    labels = table.labels(target)
    distinct, codes = np.unique(labels.astype(str) if labels.dtype == object else labels, return_inverse=True)
    counts = np.bincount(codes)
    asked = sorted(range(len(distinct)), key=lambda place: (-counts[place], place))[:_CLASSES]
    if len(distinct) == 2:
        asked = [1]  # the other one is told as well
    return [
        (shorten(str(distinct[place])), codes == place)
        for place in asked
        if min(counts[place], len(codes) - counts[place]) >= _LEAST
    ]


def _levels(
    series: pd.Series[Any], name: str, declared: str
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64] | None]:
    """Return a feature in levels or bins that only its values tell, and its values where they are ordered."""
    absent = table.missing(series)
    present = series[~absent]
    if len(present) and is_ordered(present):
        found = ordered_values(present, _BINS)
        known = found.astype(np.int64).astype(np.float64) if found.dtype.kind == "M" else found
        ordered = np.full(len(series), -np.inf)
        ordered[~absent] = known
        edges = np.unique(np.sort(known)[np.linspace(0, len(known) - 1, _BINS + 1).astype(np.intp)])
        distinct = np.unique(known)
        edges = distinct if len(distinct) <= _BINS else edges
        bins = np.searchsorted(edges, ordered, side="right")
        return bins.astype(np.intp), ordered
    held = holds(series, declared)
    bits = bits_of(series, Plan(name, held.kind, held.bits))
    return np.unique(bits, return_inverse=True)[1].astype(np.intp), None
