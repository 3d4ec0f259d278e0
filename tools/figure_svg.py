"""Charts as SVG: lines over one or more panels, readable in light and in dark, without any library.

A chart is a plain value (what its JSON file holds), so that it is drawn without computing anything again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

Chart = Mapping[str, Any]

_WIDTH, _HEIGHT = 340, 230
_LEFT, _RIGHT, _BOTTOM, _GAP = 62, 16, 52, 26
_LEGEND, _LINE = 16, 19

#: Colours that differ for colour-blind readers too; dashes and marks tell the lines apart without colours.
_SERIES = (
    ("#0072b2", "#58b4f0", "", "circle"),
    ("#c04a00", "#ff9e5e", "7 4", "square"),
    ("#007a5a", "#4fd1a5", "2 3", "triangle"),
    ("#7a4bb5", "#c9a6ff", "9 3 2 3", "diamond"),
    ("#5c6670", "#aab4be", "1 4", "circle"),
)

_STYLE = """\
  <style>
    .paper { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e }
    .axis { stroke: #8c959f; fill: none } .grid { stroke: #d8dee4; fill: none }
    .limit { stroke: #1f2328; fill: none }
%s
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117 } .ink { fill: #e6edf3 } .soft { fill: #9da7b1 }
      .axis { stroke: #6e7681 } .grid { stroke: #2a313a } .limit { stroke: #e6edf3 }
%s
    }
  </style>"""


def drawn(name: str, chart: Chart) -> str:
    """Return the chart as a file.

    Parameters
    ----------
    name : str
        Of the figure, which its ids begin with.
    chart : mapping
        ``title``, ``description`` and ``panels``. A panel has ``title``, ``x``, ``y`` and ``series``; an axis
        has ``label``, ``low``, ``high``, ``ticks``, and may be ``log`` and in ``percent``; a series has
        ``name``, ``points`` and, where it was simulated, ``samples``. A panel may have a ``limit`` on its y
        axis.
    """
    panels = chart["panels"]
    names = list(dict.fromkeys(line["name"] for panel in panels for line in panel["series"]))
    width = len(panels) * (_LEFT + _WIDTH + _RIGHT) + (len(panels) - 1) * _GAP
    columns = max(1, width // 330)
    top = 12 + _LINE * math.ceil(len(names) / columns) + 30
    height = top + _HEIGHT + _BOTTOM
    light = [_colours(index, 0) for index in range(len(names))]
    dark = ["  " + _colours(index, 1) for index in range(len(names))]
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby="{name}-title {name}-desc" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'  <title id="{name}-title">{escape(chart["title"])}</title>',
        f'  <desc id="{name}-desc">{escape(chart["description"])}</desc>',
        _STYLE % ("\n".join(light), "\n".join(dark)),
        f'  <rect class="paper" width="{width}" height="{height}"/>',
        *_legend(names, columns, width),
    ]
    for index, panel in enumerate(panels):
        left = _LEFT + index * (_LEFT + _WIDTH + _RIGHT + _GAP)
        body += _panel(panel, names, left, top)
    return "\n".join([*body, "</svg>", ""])


def _colours(index: int, theme: int) -> str:
    colour = _SERIES[index % len(_SERIES)][theme]
    return f"    .line{index} {{ stroke: {colour}; fill: none }} .mark{index} {{ fill: {colour} }}"


def _legend(names: Sequence[str], columns: int, width: int) -> list[str]:
    found = []
    for index, name in enumerate(names):
        x = 14 + index % columns * (width // columns)
        y = 20 + index // columns * _LINE
        found.append(_path(index, [(x, y - 4), (x + 2 * _LEGEND, y - 4)]))
        found.append(_mark(index, x + _LEGEND, y - 4))
        found.append(f'  <text class="ink" x="{x + 2 * _LEGEND + 7}" y="{y}">{escape(name)}</text>')
    return found


def _panel(panel: Mapping[str, Any], names: Sequence[str], left: int, top: int) -> list[str]:
    across, up = panel["x"], panel["y"]
    to_x = _scale(across, left, left + _WIDTH)
    to_y = _scale(up, top + _HEIGHT, top)
    bottom, right = top + _HEIGHT, left + _WIDTH
    found = [
        f'  <text class="ink" font-weight="bold" x="{left}" y="{top - 10}">{escape(panel["title"])}</text>'
    ]
    for tick in up["ticks"]:
        y = to_y(tick)
        found.append(f'  <line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>')
        label = f'x="{left - 6}" y="{round(y + 4, 1)}">{_text(up, tick)}'
        found.append(f'  <text class="soft" text-anchor="end" {label}</text>')
    for tick in across["ticks"]:
        x = to_x(tick)
        found.append(f'  <line class="axis" x1="{x}" x2="{x}" y1="{bottom}" y2="{bottom + 4}"/>')
        label = f'x="{x}" y="{bottom + 18}">{_text(across, tick)}'
        found.append(f'  <text class="soft" text-anchor="middle" {label}</text>')
    middle = round(top + _HEIGHT / 2)
    found += [
        f'  <path class="axis" d="M{left} {top}V{bottom}H{right}"/>',
        f'  <text class="ink" text-anchor="middle" x="{left + _WIDTH // 2}" y="{bottom + 38}">'
        f"{escape(across['label'])}</text>",
        f'  <text class="ink" text-anchor="middle" transform="translate({left - 46} {middle}) rotate(-90)">'
        f"{escape(up['label'])}</text>",
    ]
    if "limit" in panel:
        y = to_y(panel["limit"])
        found.append(f'  <line class="limit" stroke-width="1.2" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>')
    for line in panel["series"]:
        found += _line(line, names.index(line["name"]), to_x, to_y, up)
    return found


def _line(
    line: Mapping[str, Any],
    index: int,
    to_x: Callable[[float], float],
    to_y: Callable[[float], float],
    up: Mapping[str, Any],
) -> list[str]:
    points = [(to_x(x), to_y(y)) for x, y in line["points"]]
    found = [_path(index, points)]
    if "samples" in line:
        for (x, _), (_, rate) in zip(points, line["points"], strict=True):
            error = 1.96 * math.sqrt(max(0.0, rate * (1 - rate)) / line["samples"])
            ends = [to_y(min(up["high"], max(up["low"], rate + side * error))) for side in (-1, 1)]
            found.append(f'  <path class="line{index}" opacity="0.7" d="M{x} {ends[0]}V{ends[1]}"/>')
    if len(points) <= 12:
        found += [_mark(index, x, y) for x, y in points]
    return found


def _path(index: int, points: Sequence[tuple[float, float]]) -> str:
    dashes = _SERIES[index % len(_SERIES)][2]
    style = f' stroke-dasharray="{dashes}"' if dashes else ""
    steps = "L".join(f"{x} {y}" for x, y in points)
    return f'  <path class="line{index}" stroke-width="2"{style} d="M{steps}"/>'


def _mark(index: int, x: float, y: float) -> str:
    shape = {
        "circle": "M{l} {y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
        "square": "M{l} {t}h8v8h-8z",
        "triangle": "M{x} {t}l4.5 8h-9z",
        "diamond": "M{x} {t}l4 4l-4 4l-4 -4z",
    }[_SERIES[index % len(_SERIES)][3]]
    d = shape.format(x=x, y=y, l=round(x - 4, 1), t=round(y - 4, 1))
    return f'  <path class="mark{index}" d="{d}"/>'


def _scale(axis: Mapping[str, Any], first: float, last: float) -> Callable[[float], float]:
    """Return the place of a value; what lies beyond the axis is drawn at its end."""
    turned: Callable[[float], float] = math.log if axis.get("log") else float
    low, high = axis["low"], axis["high"]

    def place(value: float) -> float:
        inside = min(high, max(low, value))
        return round(
            first + (last - first) * (turned(inside) - turned(low)) / (turned(high) - turned(low)), 1
        )

    return place


def _text(axis: Mapping[str, Any], value: float) -> str:
    if axis.get("percent"):
        return f"{100 * value:g} %"
    if 0 < value < 0.001:
        return f"{value:.0e}".replace("e-0", "e-")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"
