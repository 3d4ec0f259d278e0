"""How the rows were drawn: independently, in groups, in strata, or in groups within strata."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Design:
    """The dependence between rows; what variance formulas need to know beside the influence.

    Parameters
    ----------
    n : int
        Rows.
    groups : ndarray of int codes, shape (n,), or None
        Rows of one group (a customer, a day) are not independent of each other.
    strata : ndarray of int codes, shape (n,), or None
        The sample has a fixed number of rows (or groups) in each stratum.
    """

    n: int
    groups: Codes | None = None
    strata: Codes | None = None

    @property
    def units(self) -> int:
        """Rows or, where rows come in groups, groups: what was drawn."""
        return self.n if self.groups is None else int(self.groups.max()) + 1

    @property
    def independent(self) -> bool:
        """Whether the rows are a plain random sample."""
        return self.groups is None and self.strata is None

    def subset(self, rows: Mask | Codes | slice) -> Design:
        """Return the design of some rows (a mask, positions, or a window), with codes made dense again."""
        if isinstance(rows, slice):
            n = len(range(*rows.indices(self.n)))
        else:
            n = int(np.count_nonzero(rows)) if rows.dtype == np.bool_ else len(rows)
        if n == self.n:  # the same rows in another order
            return Design(
                n=n,
                groups=None if self.groups is None else self.groups[rows],
                strata=None if self.strata is None else self.strata[rows],
            )
        return Design(
            n=n,
            groups=None if self.groups is None else np.unique(self.groups[rows], return_inverse=True)[1],
            strata=None if self.strata is None else np.unique(self.strata[rows], return_inverse=True)[1],
        )
