"""Which values of a column scikit-learn's encoders saw in training: others they silently take for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def known_levels(model: Any) -> Mapping[str, tuple[Any, ...]]:
    """Return column -> values that its encoder knows; empty where the model does not say.

    Encoders are sought where they read columns of the dataset: at the start of pipelines, in column
    transformers, and in the gradient boosting that encodes for itself. What comes after a transformer
    that makes new columns is not looked at.

    Parameters
    ----------
    model : ModelProtocol
        Any model; only those with an ``estimator`` can tell.
    """
    estimator = getattr(model, "estimator", None)
    columns = getattr(model, "columns", None)
    if estimator is None or columns is None:
        return {}
    found: dict[str, tuple[Any, ...]] = {}
    for name, levels in _of(estimator, tuple(columns)):
        found.setdefault(name, levels)
    return found


def _of(part: Any, columns: Sequence[str]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield what a part of a model knows that reads these columns."""
    levels = getattr(part, "categories_", None)
    if isinstance(levels, (list, tuple)) and len(levels) == len(columns):
        yield from (
            (name, tuple(np.asarray(each).tolist())) for name, each in zip(columns, levels, strict=True)
        )
    elif hasattr(part, "transformers_"):
        for _, inner, chosen in part.transformers_:
            yield from _of(inner, _names(chosen, columns))
    elif hasattr(part, "steps"):
        for _, step in part.steps:
            yield from _of(step, columns)
            if not _keeps_columns(step):
                break
    elif getattr(part, "_preprocessor", None) is not None:
        yield from _of(part._preprocessor, columns)
    elif hasattr(part, "calibrated_classifiers_"):
        for each in part.calibrated_classifiers_[:1]:
            yield from _of(each.estimator, columns)
    elif hasattr(part, "best_estimator_"):
        yield from _of(part.best_estimator_, columns)


def _keeps_columns(step: Any) -> bool:
    """Whether a step gives every column back, in its place."""
    return type(step).__name__ == "SimpleImputer" and not getattr(step, "add_indicator", True)


def _names(chosen: Any, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns that a transformer was given: names, numbers, a mask or a slice."""
    if isinstance(chosen, str):
        return (chosen,)
    if isinstance(chosen, int):
        return (columns[chosen],)
    if isinstance(chosen, slice):
        if isinstance(chosen.start, str) or isinstance(chosen.stop, str):
            return ()
        return tuple(columns[chosen])
    listed = list(chosen)
    if all(isinstance(item, (bool, np.bool_)) for item in listed):
        return tuple(name for name, taken in zip(columns, listed, strict=False) if taken)
    return tuple(item if isinstance(item, str) else columns[int(item)] for item in listed)
