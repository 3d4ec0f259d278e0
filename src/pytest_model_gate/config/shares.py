"""A number of rows, or a share of them: ``5``, ``0.001`` or ``"0.1%"``."""

from __future__ import annotations

from typing import Any


def rows_or_share(value: Any) -> int | float:
    """Return a number of rows (an integer) or a share of them (a float below 1).

    Raises
    ------
    ValueError
        For everything else.

    Examples
    --------
    >>> rows_or_share(5), rows_or_share(0.001), rows_or_share("0.1%")
    (5, 0.001, 0.001)
    """
    wanted = f"must be a number of rows such as 5, or a share such as 0.001 or '0.1%', got {value!r}"
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            share = float(value.strip().rstrip("%")) / 100
        except ValueError:
            raise ValueError(wanted) from None
        return _share(share, wanted)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise ValueError(wanted)
    return value if isinstance(value, int) else _share(value, wanted)


def _share(value: float, wanted: str) -> int | float:
    if value == 0:
        return 0
    if not 0 < value < 1:
        raise ValueError(wanted)
    return value
