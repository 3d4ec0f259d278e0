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
    def independent(self) -> bool:
        """Whether the rows are a plain random sample."""
        return self.groups is None and self.strata is None

    def subset(self, mask: Mask) -> Design:
        """Return the design of the rows of ``mask``, with codes made dense again."""
        return Design(
            n=int(mask.sum()),
            groups=None if self.groups is None else np.unique(self.groups[mask], return_inverse=True)[1],
            strata=None if self.strata is None else np.unique(self.strata[mask], return_inverse=True)[1],
        )
