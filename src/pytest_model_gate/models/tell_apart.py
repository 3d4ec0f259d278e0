"""A classifier that tries to tell two tables apart; its scores come from rows that it did not learn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Parts of the rows; each is scored by a model of the others.
FOLDS = 3


def scores(
    values: Floats, current: npt.NDArray[np.bool_], categorical: Sequence[bool], *, seed: int
) -> Iterator[tuple[Floats, Floats]]:
    """Yield the scores of the reference and of the current rows of each part.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        Numbers and codes; NaN where there is none.
    current : ndarray of bool, shape (rows,)
        Which rows are from the current table.
    categorical : sequence of bool
        Which columns hold codes.
    seed : int
        Of the parts and of the model.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(seed)
    fold = np.empty(len(current), dtype=np.intp)
    for side in (~current, current):
        rows = np.flatnonzero(side)
        fold[rows] = rng.permutation(np.arange(len(rows)) % FOLDS)
    # A column without any value tells nothing, and one with the same in all rows neither.
    telling = [bool(np.unique(column).size > 1) for column in values.T]
    if not any(telling):
        for part in range(FOLDS):
            held = fold == part
            yield np.zeros(int((held & ~current).sum())), np.zeros(int((held & current).sum()))
        return
    values = values[:, telling]
    flags = [flag for flag, tells in zip(categorical, telling, strict=True) if tells]
    for part in range(FOLDS):
        held = fold == part
        model = HistGradientBoostingClassifier(
            max_iter=60,
            max_leaf_nodes=15,
            min_samples_leaf=10,
            early_stopping=False,
            categorical_features=flags,
            # Both tables count alike, whatever their sizes.
            class_weight="balanced",
            random_state=seed,
        )
        # One thread: so few rows gain nothing by more, and on a busy machine they wait for each other.
        with threadpool_limits(1):
            model.fit(values[~held], current[~held])
            said = np.asarray(model.predict_proba(values[held])[:, 1], dtype=np.float64)
        yield said[~current[held]], said[current[held]]
