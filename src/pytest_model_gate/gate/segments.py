"""A segment: up to three conditions on columns, in words, as rows, and as a slice that can be pasted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..data.features import OTHER, Feature
from ..data.levels import MISSING
from ..metrics.rows import Ints, Mask
from ..spec import CROSS


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A contiguous range of a column's ordered bins, or one of its levels."""

    feature: Feature
    low: int
    high: int

    @property
    def key(self) -> tuple[str, int, int]:
        """What it is compared and sorted by."""
        return self.feature.name, self.low, self.high

    def holds(self, rows: Ints) -> Mask:
        """Return for which of the rows it holds."""
        codes = self.feature.codes[rows]
        return (codes >= self.low) & (codes <= self.high)

    @property
    def text(self) -> str:
        """The condition as a person would say it."""
        name, edges = self.feature.name, self.feature.edges
        if self.low >= len(edges):
            level = self.feature.levels[self.low - len(edges)]
            if level == MISSING:
                return f"{name} is missing"
            return f"{name} is a rare value" if level == OTHER else f"{name} = {level}"
        low, high, last = edges[self.low], self.high, len(edges) - 1
        if self.feature.exact:
            if self.low == high:
                return f"{name} = {low}"
            if high == last:
                return f"{name} >= {low}"
            return f"{name} <= {edges[high]}" if self.low == 0 else f"{low} <= {name} <= {edges[high]}"
        if high == last:
            return f"{name} >= {low}"
        return f"{name} < {edges[high + 1]}" if self.low == 0 else f"{low} <= {name} < {edges[high + 1]}"

    @property
    def bins(self) -> str | None:
        """Edges that cut the column so that this condition is one slice; empty for a level, None: none do."""
        edges = self.feature.edges
        if self.low >= len(edges):
            return None if self.feature.levels[self.low - len(edges)] == OTHER else ""
        # Two edges are needed: below the least value is no row, and an empty slice doesn't exist.
        top = self.high == len(edges) - 1
        chosen = (edges[0], edges[self.low]) if top else (edges[self.low], edges[self.high + 1])
        if chosen[0] == chosen[1] or not all(self.feature.dates or math.isfinite(float(e)) for e in chosen):
            return None
        return f"[{', '.join(json.dumps(edge) if self.feature.dates else edge for edge in chosen)}]"


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows for which all of some conditions on different columns hold; conditions are sorted by column."""

    conditions: tuple[Condition, ...]

    @classmethod
    def of(cls, *conditions: Condition) -> Segment:
        """Return the segment with its conditions in their order."""
        return cls(tuple(sorted(conditions, key=lambda condition: condition.key)))

    @cached_property
    def key(self) -> tuple[tuple[str, int, int], ...]:
        """What it is compared and sorted by."""
        return tuple(condition.key for condition in self.conditions)

    @property
    def name(self) -> str:
        """What reports call it.

        Examples
        --------
        >>> codes = np.array([0, 1, 1], dtype=np.uint8)
        >>> hour = Feature(name="hour", codes=codes, edges=("6", "18"), exact=True, coarse=(0, 1))
        >>> carrier = Feature(name="carrier", codes=codes, levels=("AA", "VX"))
        >>> Segment.of(Condition(hour, 1, 1), Condition(carrier, 1, 1)).name
        'carrier = VX and hour = 18'
        """
        return " and ".join(condition.text for condition in self.conditions)

    def rows(self, among: Ints) -> Ints:
        """Return those of the rows that belong to it, in their order."""
        return among[self.holds(among)]

    def holds(self, among: Ints) -> Mask:
        """Return which of the rows belong to it."""
        mask = np.ones(len(among), dtype=np.bool_)
        for condition in self.conditions:
            mask &= condition.holds(among)
        return mask

    def table(self, keys: Mapping[str, Any]) -> str:
        """Return an entry of ``slices`` that has this segment as one slice; empty where none has."""
        cuts = {condition.feature.name: condition.bins for condition in self.conditions}
        if any(cut is None for cut in cuts.values()):
            return ""
        names = [json.dumps(name, ensure_ascii=False) for name in cuts]
        plain = len(names) == 1 and CROSS not in names[0]
        written = [f"by = {names[0]}" if plain else f"by = [{', '.join(names)}]"]
        bins = [f"{_key(name)} = {cut}" for name, cut in cuts.items() if cut]
        if bins:
            written.append(f"bins = {{ {', '.join(bins)} }}")
        written += [f"{key} = {value}" for key, value in keys.items()]
        return f"{{ {', '.join(written)} }}"


def _key(name: str) -> str:
    """Return a key of a TOML table, in quotes where it needs them."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
