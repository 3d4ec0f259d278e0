"""Slices that lie one after the other and are measured at a time: what is asked of one is found for all.

Measuring calls numpy dozens of times, and on a few hundred rows the calls cost more than the arithmetic.
Where a metric can tell of many parts of the rows at once (``Metric.of_parts``), it is asked once for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..errors import ModelGateError
from ..metrics.metric import Metric
from ..metrics.rows import Needs, Predicted
from .found import Found
from .sample import Sample

#: So many rows are measured at a time: more don't fit into fast memory, and their calls cost little each.
MOST_ROWS = 1 << 15

#: So many slices are.
MOST_SLICES = 256

#: Answers for one part, given its place and its rows.
Answer = Callable[[int, Sample], Found]

#: Asks a metric about all parts; ``None`` where it has to be asked about each.
AskAll = Callable[[Metric, "AtATime", Predicted, Predicted, float], Answer | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class AtATime:
    """Slices that are measured at a time.

    Parameters
    ----------
    sample : Sample
        The rows of all of them, slice after slice, with ``truth.starts``.
    predicted : mapping
        Role -> predictions on these rows.
    """

    sample: Sample
    predicted: Mapping[str, Predicted]
    _answers: dict[object, tuple[Metric, Answer | None]] = field(default_factory=dict)
    _differing: dict[object, Sequence[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, sample: Sample, predicted: Mapping[str, Predicted], sizes: Sequence[int]) -> AtATime:
        """Return some rows, cut into slices of these sizes."""
        starts = np.cumsum([0, *sizes[:-1]], dtype=np.intp)
        return cls(sample=replace(sample, truth=replace(sample.truth, starts=starts)), predicted=predicted)

    def part(self, position: int) -> tuple[Sample, Mapping[str, Predicted]]:
        """Return one slice, whose sample knows its place among the others."""
        starts = self.sample.truth.starts
        assert starts is not None, "made with them"
        end = starts[position + 1] if position + 1 < len(starts) else self.sample.n
        window = slice(int(starts[position]), int(end))
        said = {role: model.subset(window) for role, model in self.predicted.items()}
        return self.sample.subset(window, place=Place(self, position, said)), said

    def answer(
        self, metric: Metric, roles: tuple[str, str], relative: float, ask_all: AskAll
    ) -> Answer | None:
        """Return what answers for one slice after the other, found once; ``None`` where nothing does."""
        key = id(metric), roles, relative
        if key not in self._answers:
            candidate, reference = (self.predicted[role] for role in roles)
            try:
                found = ask_all(metric, self, candidate, reference, relative)
            except ModelGateError:  # of one of the slices: each is asked by itself, and says so for itself
                found = None
            self._answers[key] = metric, found  # kept with it, so that no other metric has its id
        return self._answers[key][1]

    def differing(self, needs: Needs, roles: tuple[str, str]) -> Sequence[int]:
        """Return on how many rows of each slice two models don't say the same, counted once."""
        key = needs, roles
        if key not in self._differing:
            starts = self.sample.truth.starts
            assert starts is not None, "made with them"
            one, other = (np.asarray(self.predicted[role].form(needs)) for role in roles)
            rows = np.ones(self.sample.n, dtype=np.bool_)
            if one.shape == other.shape:
                rows = (one != other).reshape(self.sample.n, -1).any(axis=1)
            self._differing[key] = np.add.reduceat(rows, starts, dtype=np.intp).tolist()
        return self._differing[key]


@dataclass(frozen=True, eq=False)
class Place:
    """Where a slice is among those that are measured at a time, and what each role says about it."""

    among: AtATime
    position: int
    predicted: Mapping[str, Predicted]

    def found(
        self,
        metric: Metric,
        sample: Sample,
        candidate: Predicted,
        reference: Predicted,
        relative: float,
        ask_all: AskAll,
    ) -> Found | None:
        """Return what is found for all slices, of this one; ``None`` where it has to be asked by itself."""
        roles = self._roles(candidate, reference)
        answer = None if roles is None else self.among.answer(metric, roles, relative, ask_all)
        return None if answer is None else answer(self.position, sample)

    def differing(self, needs: Needs, candidate: Predicted, reference: Predicted) -> int | None:
        """Return on how many rows two models don't say the same; ``None`` where that is not counted here."""
        roles = self._roles(candidate, reference)
        return None if roles is None else self.among.differing(needs, roles)[self.position]

    def _roles(self, candidate: Predicted, reference: Predicted) -> tuple[str, str] | None:
        one, other = self._names.get(id(candidate)), self._names.get(id(reference))
        return None if one is None or other is None else (one, other)

    @cached_property
    def _names(self) -> Mapping[int, str]:
        return {id(said): role for role, said in self.predicted.items()}


def runs(sizes: Sequence[int], wanted: Sequence[bool]) -> list[range]:
    """Return which neighbours are measured at a time: those that are wanted, as many as are not too many.

    Examples
    --------
    >>> runs([100, 200, 5, 40_000, 300, 400, 500], [True, True, False, True, True, True, True])
    [range(0, 2), range(4, 7)]
    """
    found: list[range] = []
    start = rows = 0
    for position in range(len(sizes) + 1):
        last = position == len(sizes)
        alone = last or not wanted[position] or sizes[position] > MOST_ROWS
        if alone or rows + sizes[position] > MOST_ROWS or position - start == MOST_SLICES:
            if position - start > 1:
                found.append(range(start, position))
            start, rows = position + alone, 0
        if not alone:
            rows += sizes[position]
    return found
