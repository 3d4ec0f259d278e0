"""What is sought in training data, and what was found there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .plans import Plan
from .times import Times
from .values import Bits

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is sought.

    Parameters
    ----------
    columns : tuple of str
        What makes two rows the same. Empty: rows are not compared.
    target : str
        Column with the truth. Empty: it is not compared.
    key : tuple of str
        Columns that name a row. Empty: none.
    groups : str
        Column that says which rows belong together. Empty: none.
    time : str
        Column that says when a row was. Empty: none.
    near : int or None
        Significant digits of floats that make rows nearly the same, at least. ``None``: not sought.
    """

    columns: tuple[str, ...] = ()
    target: str = ""
    key: tuple[str, ...] = ()
    groups: str = ""
    time: str = ""
    near: int | None = None

    @property
    def all(self) -> list[str]:
        """Every column, once."""
        named = [*self.columns, self.target, *self.key, self.groups, self.time]
        return list(dict.fromkeys(name for name in named if name))


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """What was found by one way of comparing.

    Parameters
    ----------
    rows : ndarray of bool
        Which rows of the holdout stand in the training data.
    distinct : int
        How many of these are distinct (keys, groups, rows).
    training : int or None
        How many rows of the training data they are. ``None``: not counted.
    order : ndarray of uint64
        A number of each row that only its content tells: the examples are the same in any order of rows.
    missing : (int, int)
        Rows of the holdout and of the training data that have no key, or no group.
    """

    rows: Mask
    distinct: int
    training: int | None
    order: Bits
    missing: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sought:
    """What was found.

    Parameters
    ----------
    rows, training_rows : int
        How many were compared with how many.
    plans : tuple of Plan
        As what the columns of a row are compared.
    exact, labelled, near, key, groups : Hit or None
        By the columns, by these and the target, by rounded columns but not exactly, by key and by group.
    times : Times or None
        When both are.
    repeated : int
        Rows of the holdout that have the columns of another one of it.
    digits : int or None
        To so many digits floats of nearly equal rows agree. ``None``: not sought.
    chance : float
        So many rows would agree so far by chance.
    """

    rows: int
    training_rows: int
    plans: tuple[Plan, ...] = ()
    exact: Hit | None = None
    labelled: Hit | None = None
    near: Hit | None = None
    key: Hit | None = None
    groups: Hit | None = None
    times: Times | None = None
    repeated: int = 0
    digits: int | None = None
    chance: float = 0.0
