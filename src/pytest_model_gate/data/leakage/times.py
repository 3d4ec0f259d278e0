"""Whether the training data end before the holdout begins, told by a column of dates or numbers."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...errors import InvalidError
from ...wording import example, shorten
from ..table import missing
from .plans import Plan
from .values import floats, moments

if TYPE_CHECKING:
    import pandas as pd


class Times:
    """When the rows of the holdout and of the training data are.

    Parameters
    ----------
    plan : Plan
        The column, and as what it is compared.
    """

    def __init__(self, plan: Plan) -> None:
        if plan.kind not in ("int", "float", "date", "zoned", "nothing"):
            raise InvalidError(
                f"Column '{shorten(plan.name)}' (time) must hold dates or numbers to tell what came first, "
                f"got {plan.kind}.",
                "Store it as a date or a timestamp.",
            )
        self._plan = plan
        self._dates = plan.kind in ("date", "zoned")
        self._parts: list[npt.NDArray[Any]] = []
        self._holdout: npt.NDArray[Any] = np.empty(0)
        self.begins: Any = None
        #: The last moment of the training data.
        self.ends: Any = None
        #: Training rows from the first moment of the holdout on.
        self.training_after = 0
        #: Training rows of which nobody knows when they were.
        self.training_missing = 0

    def add(self, frame: pd.DataFrame) -> None:
        """Take some rows of the holdout."""
        self._parts.append(self._values(frame)[0])

    def close(self) -> None:
        """Find out when the holdout begins."""
        self._holdout = np.concatenate(self._parts)
        self._parts = []
        known = self._holdout[~self._absent(self._holdout)]
        self.begins = known.min() if len(known) else None

    def seek(self, frame: pd.DataFrame) -> None:
        """Take some rows of the training data."""
        values, absent = self._values(frame)
        self.training_missing += int(absent.sum())
        values = values[~absent]
        if not len(values):
            return
        last = values.max()
        self.ends = last if self.ends is None else max(self.ends, last)
        if self.begins is not None:
            self.training_after += int((values >= self.begins).sum())

    @property
    def rows(self) -> npt.NDArray[np.bool_]:
        """Which rows of the holdout are not after the end of the training data."""
        if self.ends is None or self.begins is None:
            return np.zeros(len(self._holdout), dtype=bool)
        return np.asarray(self._holdout <= self.ends, dtype=bool)  # False where there is none

    @property
    def missing(self) -> int:
        """Rows of the holdout of which nobody knows when they were."""
        return int(self._absent(self._holdout).sum())

    def says(self, value: Any) -> str:
        """Return a moment as text."""
        if not self._dates:
            number = float(value)
            return str(int(number)) if number.is_integer() else str(number)
        moment = value.astype("datetime64[us]").item()
        if not isinstance(moment, datetime.datetime):
            return example(value)
        text = moment.date().isoformat() if moment.time() == datetime.time() else moment.isoformat(" ")
        return f"{text} UTC" if self._plan.kind == "zoned" else text

    def _values(self, frame: pd.DataFrame) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        series = frame[self._plan.name]
        if self._plan.kind == "nothing":
            return np.full(len(series), np.nan), np.ones(len(series), dtype=bool)
        if not self._dates:
            values = floats(series)
            return values, np.isnan(values)
        found = moments(series)
        return found.astype("datetime64[us]"), missing(series)

    def _absent(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        return np.asarray(np.isnat(values) if values.dtype.kind == "M" else np.isnan(values))
