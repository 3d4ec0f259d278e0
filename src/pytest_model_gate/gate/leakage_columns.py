"""The judged rows of a gate, and by which of their columns they are compared with training data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..data.leakage.identifiers import identifiers
from ..errors import EvaluationError
from ..hooks import DatasetProtocol, ModelProtocol
from ..redact import redact
from ..spec import GateSpec, Leakage
from ..wording import some
from .rows import judged_rows


class JudgedRows:
    """The judged rows of a dataset, as often as they are asked for."""

    def __init__(self, spec: GateSpec, dataset: DatasetProtocol) -> None:
        self._spec, self.dataset = spec, dataset

    def frames(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Yield the rows that a gate judges; the index counts the rows of the dataset."""
        spec = self._spec
        needed = [spec.target] if spec.drop_missing_target else []
        needed += [spec.sample_weight] if spec.sample_weight else []
        start = 0
        for batch in self.dataset.batches(list(dict.fromkeys([*columns, *needed]))):
            numbered = batch.set_axis(pd.RangeIndex(start, start + len(batch)), axis="index")
            start += len(batch)
            yield judged_rows(spec, numbered, Counter())

    def at(self, places: npt.NDArray[np.intp], columns: Sequence[str]) -> pd.DataFrame:
        """Return some of the judged rows, by their number among these."""
        parts, start = [], 0
        for frame in self.frames(columns):
            here = places[(places >= start) & (places < start + len(frame))] - start
            parts.append(frame.iloc[here])
            start += len(frame)
        return pd.concat(parts)


def features_of(
    spec: GateSpec, leakage: Leakage, dataset: DatasetProtocol, models: Sequence[ModelProtocol]
) -> list[str]:
    """Return the features of the holdout that models read."""
    own = {spec.target, spec.sample_weight, spec.key, spec.query, *leakage.key, *leakage.ignore}
    if leakage.columns:
        return [name for name in leakage.columns if name not in own]
    names = [name for name, _ in dataset.columns if name not in own]
    read = _read(names, models)
    return names if read is None else [name for name in names if name in read]


def _read(names: Sequence[str], models: Sequence[ModelProtocol]) -> set[str] | None:
    """Return what the models read of some columns; ``None`` where one does not say it.

    Predictions that were made elsewhere name a key and no feature.
    """
    each = [set(model.columns or ()) & set(names) for model in models]
    return set().union(*each) if each and all(each) else None


def columns_compared(
    spec: GateSpec,
    leakage: Leakage,
    rows: JudgedRows,
    training: DatasetProtocol,
    models: Sequence[ModelProtocol],
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the columns by which rows are compared, and those that are not, with the reason."""
    features = features_of(spec, leakage, rows.dataset, models)
    if leakage.columns and features:
        return tuple(features), ()
    there = dict(training.columns)
    shared = [name for name in features if name in there]
    left_out = [(name, "not in the training data") for name in features if name not in there]
    if _read(features, models) is None:
        # Nobody says what the models read: a number of each row would hide every row that is the same.
        named = identifiers(rows.frames(shared), shared, dict(rows.dataset.columns)) if shared else ()
        if len(named) < len(shared):
            shared = [name for name in shared if name not in named]
            left_out += [(name, "another value in every row, as a key has") for name in named]
    if not shared:
        known = some(name for name, _ in training.columns)
        raise EvaluationError(
            f"{redact(training.source)} has none of the features of the holdout: there is nothing to "
            "compare rows by.",
            f"Its columns: {known}. Name the columns that both have: leakage = {{ ..., columns = [...] }}.",
        )
    return tuple(shared), tuple(left_out)
