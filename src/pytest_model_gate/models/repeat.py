"""Whether predictions belong to their rows: the same rows asked again, in other company and another order."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import ModelGateError
from .scoring import Scored, score

if TYPE_CHECKING:
    import pandas as pd

    from ..hooks import ModelProtocol

#: Of probabilities: what a float32 loses in ``1 - p``.
_LEAST = 1e-6

Kind = Literal["random", "company", "raises"]


class Unsteady(NamedTuple):
    """How predictions of the same rows differ.

    Parameters
    ----------
    kind : {"random", "company", "raises"}
        From call to call, with the other rows of the call, or parts of the rows cannot be predicted at all.
    rows : int
        How many rows differ.
    largest : float or None
        By how much at most; ``None`` for labels.
    error : ModelGateError or None
        What was raised.
    """

    kind: Kind
    rows: int = 0
    largest: float | None = None
    error: ModelGateError | None = None


def unsteady(
    model: ModelProtocol,
    rows: pd.DataFrame,
    before: Scored,
    wants: Collection[str],
    *,
    role: str,
    tolerance: float,
    determinism: bool = True,
    row_independence: bool = True,
) -> Unsteady | None:
    """Ask a model about some rows again, in other order and company, and return how its answers differ.

    A steady model predicts these rows once more. Only where its answers differ, two equal calls tell why.

    Parameters
    ----------
    model : ModelProtocol
        Which model.
    rows : DataFrame
        With the columns of the model.
    before : Scored
        What it said of these rows among all others.
    wants : collection of str
        As it was asked then.
    role : str
        Whose model it is.
    tolerance : float
        Relative difference that is rounding.
    determinism, row_independence : bool
        What is asked: whether two equal calls agree, and whether other rows and their order matter.

    Returns
    -------
    Unsteady or None
        ``None``: all answers agree.
    """
    whole = rows.reset_index(drop=True)

    def asked() -> Scored:
        return score(model, [whole], wants, role=role)

    try:
        if not row_independence:
            return _between("random", asked(), asked(), tolerance) if determinism else None
        turned = part(score(model, _pieces(whole.iloc[::-1]), wants, role=role), slice(None, None, -1))
        found = _between("company", before, turned, tolerance)
        if found is None:
            return None
        again = _between("random", asked(), asked(), tolerance)
    except ModelGateError as error:
        return Unsteady("raises", error=error)
    if again is None:
        return found
    # What differs from call to call says nothing about other rows.
    return again if determinism else None


def _pieces(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Return a single row, and the others."""
    return [rows.iloc[a:b].reset_index(drop=True) for a, b in ((0, 1), (1, len(rows)))]


def part(scored: Scored, rows: Any) -> Scored:
    """Return what was said about some of the rows, in another order perhaps."""

    def taken(array: npt.NDArray[Any] | None) -> Any:
        return None if array is None else array[rows]

    count = len(np.arange(scored.rows)[rows])
    return Scored(
        rows=count,
        labels=taken(scored.labels),
        probability=taken(scored.probability),
        score=taken(scored.score),
        value=taken(scored.value),
    )


def _between(kind: Kind, one: Scored, other: Scored, tolerance: float) -> Unsteady | None:
    """Return how two answers about the same rows differ; labels only where they are all that there is."""
    for form in ("probability", "score", "value", "labels"):
        ours, theirs = getattr(one, form), getattr(other, form)
        if ours is None and theirs is None:
            continue
        if ours is None or theirs is None or ours.shape != theirs.shape:
            return Unsteady(kind, one.rows)
        if ours.dtype.kind not in "fiu" or form == "labels":
            count = int((ours != theirs).sum())
            return Unsteady(kind, count) if count else None
        far, largest = _far(
            ours.astype(np.float64), theirs.astype(np.float64), tolerance, probability=form == "probability"
        )
        return Unsteady(kind, far, largest) if far else None
    return None


def _far(
    one: npt.NDArray[np.float64], other: npt.NDArray[np.float64], tolerance: float, *, probability: bool
) -> tuple[int, float]:
    """Return how many rows differ by more than rounding, and the largest difference.

    Rounding is a share of the larger of the two numbers or of the median size: a sum of large terms that
    cancel is as inexact as its terms.
    """
    sizes = np.maximum(np.abs(one), np.abs(other))
    allowed = tolerance * np.maximum(sizes, np.median(sizes))
    if probability:
        allowed = np.maximum(allowed, _LEAST)
    differences = np.abs(one - other)
    beyond = ~(differences <= allowed)
    far = beyond if beyond.ndim == 1 else beyond.any(axis=1)
    return int(far.sum()), float(differences.max())
