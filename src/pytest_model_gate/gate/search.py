"""The search for slices that nobody named, from the columns of the dataset to the suspects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from ..data.features import Feature, feature
from ..errors import ConfigurationError, EvaluationError, did_you_mean
from ..hooks import DatasetProtocol
from ..metrics.metric import Metric
from ..models.predictions import parse
from ..spec import FindSlices, GateSpec
from .contrasts import has_influence
from .rows import Judged, judged_rows
from .search_all import AllAtOnce
from .search_split import Split
from .suspects import Compared

#: Either way to search.
Searched = Split | AllAtOnce

#: So many columns are searched where none are named.
MOST_COLUMNS = 50

#: Cells of the dataset that are read at a time.
_CELLS = 1 << 25


def search(
    gate: GateSpec, dataset: DatasetProtocol, judged: Judged, metrics: Mapping[str, Metric]
) -> Searched:
    """Return the search of a gate, which has found its suspects.

    Parameters
    ----------
    gate : GateSpec
        A gate with ``find_slices``.
    dataset : DatasetProtocol
        Its rows.
    judged : Judged
        The scored rows, with a production model.
    metrics : mapping
        The metrics of the gate by name.

    Raises
    ------
    ConfigurationError
        If a column does not exist, or is none to search by.
    EvaluationError
        If there is nothing to search.
    """
    spec = gate.find_slices
    assert spec is not None, "unreachable: asked where a search is configured"
    wanted = spec.metrics or gate.metrics
    searched = {name: metrics[name] for name in wanted if has_influence(metrics[name])}
    if not searched:
        raise EvaluationError(
            f"find_slices needs a metric with an influence function, and {', '.join(wanted)} has none.",
            "Name a metric that has one in find_slices, for example log_loss, or leave find_slices out.",
        )
    features, skipped = _features(spec, gate, dataset, judged)
    if not features:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped[:5]) or "there is none"
        raise EvaluationError(
            f"find_slices found no column to search by ({reasons}).",
            "Name columns with levels or numbers in find_slices, or leave find_slices out.",
        )
    lacking = tuple((name, "a metric without influence") for name in wanted if name not in searched)
    kind = Split if spec.method == "split" else AllAtOnce
    found: Searched = kind(
        spec=spec,
        gate=gate,
        metrics=searched,
        features=features,
        skipped=(*skipped, *lacking),
        whole=Compared(
            sample=judged.sample,
            candidate=judged.predicted["candidate"],
            production=judged.predicted["production"],
        ),
    )
    _ = found.suspects  # now, so that what cannot be searched is said here
    return found


def _features(
    spec: FindSlices, gate: GateSpec, dataset: DatasetProtocol, judged: Judged
) -> tuple[list[Feature], tuple[tuple[str, str], ...]]:
    names = [name for name, _ in dataset.columns]
    reserved = _reserved(gate, names)
    for name in spec.columns:
        if name not in names:
            raise ConfigurationError(
                f"find_slices names the column {name!r}, which the dataset does not have.",
                did_you_mean(name, names),
            )
        if name in (gate.target, gate.sample_weight) or reserved.get(name) == "predictions":
            raise ConfigurationError(
                f"find_slices names the column {name!r}, which is the {reserved[name]}.",
                "Segments are made of what is known before a model is asked: leave it out.",
            )
    chosen = list(dict.fromkeys(spec.columns)) or [name for name in names if name not in reserved]
    found: list[Feature] = []
    skipped: list[tuple[str, str]] = []
    step = max(1, _CELLS // max(judged.sample.n, 1))
    for start in range(0, len(chosen), step):
        block = chosen[start : start + step]
        frame = _read(gate, dataset, block)
        for name in block:
            if len(found) == MOST_COLUMNS and not spec.columns:
                skipped.append((name, f"{MOST_COLUMNS} columns are searched; name others in columns"))
                continue
            made = feature(frame[name], min_rows=spec.min_rows, named=bool(spec.columns))
            if isinstance(made, str):
                skipped.append((name, made))
            else:
                found.append(made)
    return found, tuple(skipped)


def _reserved(gate: GateSpec, names: list[str]) -> dict[str, str]:
    """Return the columns that segments are not made of unless they are named, and what they are."""
    roles = {gate.target: "target", gate.sample_weight: "sample_weight", gate.key: "key"}
    roles |= {gate.groups: "groups", gate.query: "query"}
    for source in (gate.candidate, gate.production, gate.baseline):
        if source.startswith("predictions:"):
            roles |= dict.fromkeys(parse(source)[2], "predictions")
    return {name: role for name, role in roles.items() if name in names}


def _read(gate: GateSpec, dataset: DatasetProtocol, columns: list[str]) -> pd.DataFrame:
    """Return some columns of the judged rows, in the order in which these were judged."""
    needed = dict.fromkeys(name for name in (*columns, gate.target, gate.sample_weight) if name)
    kept = [judged_rows(gate, batch, Counter()) for batch in dataset.batches(list(needed))]
    return kept[0] if len(kept) == 1 else pd.concat(kept, ignore_index=True)
