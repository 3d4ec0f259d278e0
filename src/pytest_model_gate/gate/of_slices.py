"""Plain random samples of many slices at a time: the methods of one slice, with sums found once for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..metrics.metric import Metric, OfParts
from ..metrics.rows import Floats, Ints, Predicted
from ..stats.average_precision import PairedPrecision
from ..stats.by_part import PartMoments, correlations, paired_aucs, sizes_of, tilted_scores
from ..stats.flattered import Flattered
from ..stats.influence import of_rows, rows_tilted_too
from ..stats.mean import mean_of_moments
from ..stats.wider import Wider
from .areas import in_unit, is_area, scale
from .at_a_time import Answer, AskAll, AtATime
from .by_influence import AVERAGE_PRECISION, OWN_HITS, hard_to_rank, precision, ranked_df
from .cells import counts_cells
from .found import Found, needed_df, relative_weight, with_width
from .sample import Sample

#: With more rows than this in a slice, on average, a pass over all of them costs more than calls cost.
MOST_EACH = 2_048


def ask_all(metric: Metric, sample: Sample) -> AskAll | None:
    """Return how all slices of a sample are asked at once; ``None`` where each is asked by itself."""
    if not sample.simple:
        return None
    if counts_cells(metric, sample.truth):
        return _cells if metric.cells_of_parts is not None and len(sample.class_sizes) == 2 else None
    if metric.of_parts is None:
        return None
    if metric.family == "mean" and metric.losses is not None:
        return _means
    if is_area(metric, sample):
        return _areas
    return _rankings if metric.family == "ranking" else None


@dataclass(frozen=True, eq=False)
class _Pair:
    """What two models get on every slice."""

    starts: Ints
    sizes: Ints
    first: OfParts
    second: OfParts
    values: tuple[list[float], list[float]]
    weights: list[float]

    @property
    def contrast(self) -> Floats:
        """What each row says of candidate minus weighted reference."""
        first, second = self.first.influence, self.second.influence
        if all(weight == 1 for weight in self.weights):
            return first - second
        return first - np.repeat(self.weights, self.sizes) * second

    def window(self, position: int) -> slice:
        """Return where the rows of a slice are."""
        start = int(self.starts[position])
        return slice(start, start + int(self.sizes[position]))


def _pair(
    metric: Metric, slices: AtATime, candidate: Predicted, reference: Predicted, relative: float
) -> _Pair | None:
    """Return the values of two models on every slice; ``None`` where one of them may be undefined."""
    truth, starts = slices.sample.truth, slices.sample.truth.starts
    assert starts is not None, "asked of slices"
    assert metric.of_parts is not None, "chosen for metrics that have it"
    if truth.n > MOST_EACH * len(starts):
        return None
    sizes = sizes_of(truth.values, starts)
    if metric.needs == "score":
        positives = np.add.reduceat(truth.values == 1, starts, dtype=np.intp)
        if not ((positives > 0) & (positives < sizes)).all():
            return None
    for model in (candidate, reference):
        form = model.form(metric.needs)
        if form is None or len(form) != truth.n or (form.dtype.kind == "f" and not np.isfinite(form).all()):
            return None
    first, second = metric.of_parts(truth, candidate), metric.of_parts(truth, reference)
    if not all(np.isfinite(of.values).all() and np.isfinite(of.influence.sum()) for of in (first, second)):
        return None
    values = first.values.tolist(), second.values.tolist()
    weights = [relative_weight(metric, value, relative) for value in values[1]]
    return _Pair(starts, sizes, first, second, values, weights)


def _means(
    metric: Metric, slices: AtATime, candidate: Predicted, reference: Predicted, relative: float
) -> Answer | None:
    """Ask for the paired t interval of two mean losses, as :func:`~.plain.paired_means` does."""
    pair = _pair(metric, slices, candidate, reference, relative)
    if pair is None:
        return None
    gains = pair.contrast
    if not metric.higher_is_better:
        np.negative(gains, out=gains)
    found = PartMoments.of(gains, pair.starts)
    moments = list(zip(found.means, found.second, found.third, found.fourth, strict=True))

    def answer(position: int, sample: Sample) -> Found:
        first, second = (values[position] for values in pair.values)
        inference = mean_of_moments(
            sample.n,
            moments[position],
            relative * abs(second),
            max(abs(first), abs(second)),
            needed=needed_df(metric),
        )
        centred = found.centred[pair.window(position)]
        return Found(first, second, rows_tilted_too(inference, centred, found.second[position]))

    return answer


def _areas(
    metric: Metric, slices: AtATime, candidate: Predicted, reference: Predicted, relative: float
) -> Answer | None:
    """Ask for DeLong's interval of two areas, as :func:`~.plain.paired_areas` does."""
    pair = _pair(metric, slices, candidate, reference, relative)
    if pair is None:
        return None
    low, unit = scale(metric)
    areas = [[(value - low) / unit for value in values] for values in pair.values]
    found = paired_aucs(
        (areas[0], areas[1]),
        (pair.first.influence / unit, pair.second.influence / unit),
        slices.sample.truth.values == 1,
        pair.starts,
        pair.weights,
    )

    def answer(position: int, sample: Sample) -> Found:
        del sample  # an area asks for nothing else
        first, second = (values[position] for values in pair.values)
        return Found(first, second, in_unit(metric, found[position]))

    return answer


def _rankings(
    metric: Metric, slices: AtATime, candidate: Predicted, reference: Predicted, relative: float
) -> Answer | None:
    """Ask for the interval by influence, as :func:`~.by_influence.paired_influence` does."""
    pair = _pair(metric, slices, candidate, reference, relative)
    if pair is None:
        return None
    psi, other = pair.contrast, pair.second.influence
    found = PartMoments.of(psi, pair.starts)
    own = psi + np.repeat(pair.weights, pair.sizes) * other
    rhos = correlations(own, other, pair.starts) if metric.name == AVERAGE_PRECISION else []
    flattery = [of.flattery.tolist() for of in (pair.first, pair.second) if of.flattery is not None]

    def answer(position: int, sample: Sample) -> Found:
        first, second = (values[position] for values in pair.values)
        weight, squares = pair.weights[position], found.second[position]
        plain = of_rows(
            metric.sign * (first - second),
            squares,
            found.fourth[position],
            sample.n,
            df=ranked_df(metric, sample),
            needed=needed_df(metric),
        )
        plain = with_width(metric, sample, plain, first, second)
        inference = rows_tilted_too(plain, found.centred[pair.window(position)], squares)
        if rhos and hard_to_rank(sample, 1.0, first, second):
            one, two = (precision(sample, value, sample.effective) for value in (first, second))
            inference = Wider(inference, PairedPrecision(one, two, rhos[position], weight))
        if flattery:
            shift = flattery[0][position] - weight * flattery[1][position]
            inference = Flattered(inference, -metric.sign * shift, how=OWN_HITS)
        return Found(first, second, inference)

    return answer


def _cells(
    metric: Metric, slices: AtATime, candidate: Predicted, reference: Predicted, relative: float
) -> Answer | None:
    """Ask for the tilted score interval of cells of two classes, as :func:`~.plain.paired_cells` does."""
    truth, starts = slices.sample.truth, slices.sample.truth.starts
    assert starts is not None, "asked of slices"
    assert metric.cells_of_parts is not None, "chosen for metrics that have it"
    rows = _joint(truth.values, candidate.labels, reference.labels, starts)
    if rows is None or not rows.sum(axis=(2, 3)).all():  # who has no rows of a class is asked by itself
        return None
    of_first, of_second = metric.cells_of_parts(rows.sum(axis=3)), metric.cells_of_parts(rows.sum(axis=2))
    if not (np.isfinite(of_first.values).all() and np.isfinite(of_second.values).all()):
        return None
    values = of_first.values.tolist(), of_second.values.tolist()
    weights = np.array([relative_weight(metric, value, relative) for value in values[1]])
    first, second = of_first.influence, weights[:, None, None] * of_second.influence
    psi = first[:, :, :, None] - second[:, :, None, :]
    # Each class has one wrong label only: (true class, label) of the imaginary rows, and of right ones.
    classes, wrong = [0, 1], [1, 0]
    imaginary = np.concatenate(
        (
            first[:, classes, wrong] - second[:, classes, classes],
            first[:, classes, classes] - second[:, classes, wrong],
        ),
        axis=1,
    )
    found = tilted_scores(
        metric.sign * (of_first.values - of_second.values),
        metric.sign * psi.reshape(len(starts), -1),
        rows.reshape(len(starts), -1),
        metric.sign * imaginary,
    )

    def answer(position: int, sample: Sample) -> Found:
        del sample  # the cells tell everything
        return Found(values[0][position], values[1][position], found[position])

    return answer


def _joint(true: Ints, candidate: Ints | None, reference: Ints | None, starts: Ints) -> Floats | None:
    """Count the rows of each cell (slice, true class, candidate's class, reference's class)."""
    code = np.repeat(np.arange(len(starts)), sizes_of(true, starts))
    for labels in (true, candidate, reference):
        if labels is None or len(labels) != len(true) or labels.min() < 0 or labels.max() > 1:
            return None
        code *= 2
        code += labels
    counts: Floats = np.bincount(code, minlength=8 * len(starts)).astype(np.float64)
    return counts.reshape(-1, 2, 2, 2)
