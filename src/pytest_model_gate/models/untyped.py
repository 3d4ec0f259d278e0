"""What an array means that comes without a word about itself: a function's result, a pyfunc's, a column's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd


@dataclass(slots=True)
class LastAnswer:
    """The last answer about some rows, so that another form of it costs no second call."""

    frame: Any = None
    answer: npt.NDArray[Any] | None = None
    #: What of this answer was asked for: who asks twice wants to know whether it says the same again.
    wants: set[str] = field(default_factory=set)

    def as_wanted(
        self, frame: pd.DataFrame, want: str, ask: Callable[[pd.DataFrame], npt.NDArray[Any]]
    ) -> npt.NDArray[Any] | None:
        """Return what is wanted of the answer about these rows; ``ask`` is called where there is none."""
        if self.frame is not frame or want in self.wants:
            self.answer, self.frame, self.wants = ask(frame), frame, set()
        self.wants.add(want)
        return as_wanted(self.answer, want)


def as_wanted(values: Any, want: str) -> npt.NDArray[Any] | None:
    """Return an array as what is wanted, or ``None`` where it can't be that.

    =============================  =========================================
    array                          can be
    =============================  =========================================
    two or more columns            ``probability``, one column per class
    floating point                 ``probability``, ``score``, ``value``
    integers                       ``label``, ``value``
    text, booleans, anything else  ``label``
    =============================  =========================================

    Integers are never scores: labels that were ranked like scores would make one model look worse, and
    with it the other one better, than it is.

    Parameters
    ----------
    values : array-like, DataFrame or Series
        One row per row of the data.
    want : {"probability", "score", "label", "value"}
        What the caller needs.
    """
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype == object:
        array = _narrowed(array)
    kind = array.dtype.kind
    if array.ndim == 2:
        return array.astype(np.float64) if want == "probability" and kind in "fiu" else None
    allowed = {"f": ("probability", "score", "value"), "i": ("label", "value")}
    allowed["u"] = allowed["i"]
    if want not in allowed.get(kind, ("label",)):
        return None
    return array if want == "label" else array.astype(np.float64)


def _narrowed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an object array as numbers where all of it are numbers (a nullable column, say)."""
    import pandas as pd

    if array.ndim == 1:
        inferred = pd.Series(array).infer_objects()
        return inferred.to_numpy() if inferred.dtype != object and inferred.dtype.kind in "iufb" else array
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        return array
