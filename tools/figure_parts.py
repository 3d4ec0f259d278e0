"""What charts are put together from: axes and lines, as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

ALPHA = 0.05


def axis(label: str, ticks: Iterable[float], *, low: float, high: float, **more: bool) -> dict[str, Any]:
    """Return an axis; ``log`` and ``percent`` may follow."""
    return {"label": label, "low": low, "high": high, "ticks": list(ticks), **more}


def rates(high: float, ticks: Iterable[float], label: str = "wrong answers") -> dict[str, Any]:
    """Return an axis of error rates."""
    return axis(label, ticks, low=0, high=high, percent=True)


def line(name: str, x: Iterable[float], y: Iterable[float], samples: int | None = None) -> dict[str, Any]:
    """Return a series, with digits enough to draw it."""
    points = [[float(f"{a:.5g}"), float(f"{b:.4g}")] for a, b in zip(x, y, strict=True)]
    return {"name": name, "points": points} | ({} if samples is None else {"samples": samples})
