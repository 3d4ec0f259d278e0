"""The figure of the error rates, as SVG without a library: how they spread over places, layout by layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from allowances import HARD, WELL_BEHAVED
from trials import ALPHA

#: Rates of one kind of error over all metrics and populations, by layout, rows and kind.
Rates = Mapping[tuple[str, int, str], Sequence[float]]

_PANEL, _HEIGHT, _LEFT, _TOP, _GAP = 240, 190, 46, 44, 46
_MOST = 0.12
_COLOURS = {"pass": "#b5400f", "accusation": "#2458a6"}


def figure(rates: Rates, layouts: Sequence[tuple[str, str]], sizes: Sequence[int]) -> str:
    """Return the figure.

    Parameters
    ----------
    rates : mapping
        What was found.
    layouts : sequence of (str, str)
        Name and title of each panel.
    sizes : sequence of int
        Numbers of rows.
    """
    columns = 3
    lines = -(-len(layouts) // columns)
    width = _LEFT + columns * (_PANEL + _GAP)
    height = _TOP + lines * (_HEIGHT + 62)
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *_legend(),
    ]
    for index, (name, title) in enumerate(layouts):
        left = _LEFT + (index % columns) * (_PANEL + _GAP)
        top = _TOP + 20 + (index // columns) * (_HEIGHT + 62)
        body += _panel(rates, name, title, sizes, left, top)
    return "\n".join([*body, "</svg>", ""])


def _legend() -> list[str]:
    found = []
    for index, (kind, words) in enumerate((("pass", "wrong pass"), ("accusation", "wrong accusation"))):
        x = _LEFT + 150 * index
        found.append(f'<circle cx="{x + 5}" cy="16" r="4" fill="{_COLOURS[kind]}"/>')
        found.append(f'<text x="{x + 15}" y="20">{words}</text>')
    found.append(
        f'<text x="{_LEFT + 320}" y="20">bar: 5 % to 95 % of the places; tick: median; circle: worst</text>'
    )
    return found


def _panel(rates: Rates, name: str, title: str, sizes: Sequence[int], left: float, top: float) -> list[str]:
    def y(rate: float) -> float:
        return round(top + _HEIGHT * (1 - min(rate, _MOST) / _MOST), 1)

    found = [f'<text x="{left}" y="{top - 6}" font-weight="bold">{title}</text>']
    for rate, dash in ((0.0, ""), (ALPHA, ""), (WELL_BEHAVED, "4 3"), (HARD, "1 3")):
        style = f' stroke-dasharray="{dash}"' if dash else ""
        found.append(
            f'<line x1="{left}" x2="{left + _PANEL}" y1="{y(rate)}" y2="{y(rate)}" stroke="#999"{style}/>'
        )
        found.append(
            f'<text x="{left - 4}" y="{y(rate) + 4}" text-anchor="end" font-size="10">{rate:.1%}</text>'
        )
    step = _PANEL / len(sizes)
    for index, n in enumerate(sizes):
        middle = left + step * (index + 0.5)
        found.append(f'<text x="{middle}" y="{top + _HEIGHT + 16}" text-anchor="middle">{n:,}</text>')
        for kind, shift in (("pass", -9), ("accusation", 9)):
            each = rates.get((name, n, kind))
            if each:
                found += _spread(each, middle + shift, _COLOURS[kind], y)
    return found


def _spread(rates: Sequence[float], x: float, colour: str, y: Callable[[float], float]) -> list[str]:
    low, middle, high = np.quantile(rates, (0.05, 0.5, 0.95))
    worst = max(rates)
    return [
        f'<g stroke="{colour}" fill="none">',
        f'<line x1="{x}" x2="{x}" y1="{y(low)}" y2="{y(high)}" stroke-width="5" opacity="0.45"/>',
        f'<line x1="{x - 6}" x2="{x + 6}" y1="{y(middle)}" y2="{y(middle)}" stroke-width="2"/>',
        f'<circle cx="{x}" cy="{y(worst)}" r="3.5"/>',
        "</g>",
    ]
