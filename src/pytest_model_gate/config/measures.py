"""Times, sizes and percentages as a user writes them: "2 ms", "80 MB", "20%"."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

_TIMES = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_SIZES = {"bytes": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}
_MEASURE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*")


def seconds(value: Any) -> float:
    """Return a time in seconds.

    Examples
    --------
    >>> seconds("2 ms"), seconds(3)
    (0.002, 3.0)
    """
    return _measured(value, _TIMES, "a time such as '2 ms'")


def size(value: Any) -> float:
    """Return a size in bytes.

    Examples
    --------
    >>> size("1 KiB"), size("80 MB")
    (1024.0, 80000000.0)
    """
    return _measured(value, _SIZES, "a size such as '80 MB'")


def _measured(value: Any, units: Mapping[str, float], wanted: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    found = _MEASURE.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[2] not in units:
        raise ValueError(f"must be {wanted} ({', '.join(units)}), got {value!r}")
    return float(found[1]) * units[found[2]]


def percentage(value: Any) -> float:
    """Return a share.

    Examples
    --------
    >>> percentage("20%")
    0.2
    """
    text = value.strip() if isinstance(value, str) else ""
    try:
        if not text.endswith("%"):
            raise ValueError
        share = float(text[:-1]) / 100
        if not math.isfinite(share):
            raise ValueError
    except ValueError:
        raise ValueError(f"must be a percentage such as '20%', got {value!r}") from None
    return share
