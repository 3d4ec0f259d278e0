"""Any function or scikit-learn scorer as a metric: ``f(y_true, y_pred)``, with ``sample_weight`` if it can.

A function of labels that takes weights only sees how heavy each cell of the confusion matrix is, so its
influence is its derivative by the cells (the infinitesimal jackknife, Jaeckel 1972), taken numerically, and
it gets the intervals of the built-in functions of the matrix. Where the derivative does not exist, and for
every other function, the interval is a bootstrap.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from numbers import Real
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, EvaluationError, ModelGateError, UndefinedMetricError
from ..spec import Task
from ..wording import one_line
from .checked import checked
from .levels import Floats
from .metric import Metric
from .probes import refuse_sum, refuse_unsound, refuse_unsound_cells
from .rows import Needs, Predicted, Truth

Function = Callable[..., Any]

#: More cells take longer to derive than to resample.
MOST_CELLS = 400

#: How often rows are drawn again: each time calls the function.
RESAMPLES = 1_999

#: Share of its weight by which a cell is made heavier and lighter, and how far the two slopes may differ.
_STEP = 1e-4
_KINK = 1e-2

#: Rows are drawn at most so many times as often as others in the search for whole numbers.
_MOST_PARTS = 60


class NotSmoothError(UndefinedMetricError):
    """The function has no derivative here, so that a bootstrap has to take its place."""


@overload
def make_metric(
    function: None = ...,
    *,
    needs: Needs,
    higher_is_better: bool,
    name: str = ...,
    task: Task | None = ...,
    bounds: tuple[float, float] = ...,
    crosses_zero: bool = ...,
    smooth: bool = ...,
    resamples: int | None = ...,
) -> Callable[[Function], Metric]: ...


@overload
def make_metric(
    function: Function,
    *,
    needs: Needs,
    higher_is_better: bool,
    name: str = ...,
    task: Task | None = ...,
    bounds: tuple[float, float] = ...,
    crosses_zero: bool = ...,
    smooth: bool = ...,
    resamples: int | None = ...,
) -> Metric: ...


def make_metric(
    function: Function | None = None,
    *,
    needs: Needs,
    higher_is_better: bool,
    name: str = "",
    task: Task | None = None,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    crosses_zero: bool = False,
    smooth: bool = True,
    resamples: int | None = None,
) -> Metric | Callable[[Function], Metric]:
    """Make a metric of a function; also a decorator.

    Parameters
    ----------
    function : callable
        ``f(y_true, y_pred)`` or ``f(y_true, y_pred, sample_weight=None)`` returns a number that must not
        depend on how many rows there are (a mean, not a sum). Of two classes the positive one is 1 and the
        other 0, in ``y_true`` and in labels; of more classes the labels are the target's own. Scores and
        probabilities of two classes are those of the positive one, shape (n,); of K classes, shape (n, K),
        in the order of the sorted labels.
        Without ``sample_weight`` it works on samples without weights and strata only, and takes longer.
    needs : {"label", "score", "probability", "value"}
        What ``y_pred`` is.
    higher_is_better : bool
        Direction.
    name : str, optional
        What reports call it; the function's own by default.
    task : {"classification", "regression"}, optional
        ``"regression"`` where it needs values, ``"classification"`` otherwise.
    bounds : tuple of float
        Least and greatest possible value.
    crosses_zero : bool
        Whether a ratio of two values means nothing, because they may be 0 or negative.
    smooth : bool
        For functions of labels: False where the value jumps or has a kink, so that it is resampled at once.
        Kinks that are found lead there by themselves.
    resamples : int, optional
        How often rows are drawn again where there is no influence; 1,999 by default.

    Examples
    --------
    >>> @make_metric(needs="label", higher_is_better=False, bounds=(0, 5))
    ... def cost(y_true, y_pred, sample_weight=None):
    ...     lost = np.where(y_true > y_pred, 5.0, 1.0) * (y_true != y_pred)
    ...     return np.average(lost, weights=sample_weight)
    >>> cost
    Metric('cost', needs label, lower is better)
    """
    if function is None:
        return lambda decorated: make_metric(
            decorated,
            needs=needs,
            higher_is_better=higher_is_better,
            name=name,
            task=task,
            bounds=bounds,
            crosses_zero=crosses_zero,
            smooth=smooth,
            resamples=resamples,
        )
    if not callable(function):
        raise ConfigurationError(
            f"A metric is made of a function, got {type(function).__name__}.",
            "Write make_metric(f, needs='label', higher_is_better=True).",
        )
    if needs not in ("label", "score", "probability", "value"):
        raise ConfigurationError(
            f"needs must be 'label', 'score', 'probability' or 'value', got {needs!r}.",
            "It says what the function's second argument is.",
        )
    if not bounds[0] < bounds[1]:
        raise ConfigurationError(
            f"bounds must be the least and the greatest value, got {bounds!r}.", "Write bounds=(0, 1)."
        )
    own = name or getattr(function, "__name__", "")
    if not own or own == "<lambda>":
        raise ConfigurationError("The function has no name.", "Give the metric one: name='cost'.")
    called = _Called(function, own, needs)
    return _metric(
        called,
        task=task or ("regression" if needs == "value" else "classification"),
        higher_is_better=higher_is_better,
        bounds=bounds,
        crosses_zero=crosses_zero,
        smooth=smooth,
        resamples=resamples,
    )


def called_as(
    function: Function,
    name: str,
    *,
    needs: Needs,
    task: Task,
    higher_is_better: bool,
    keywords: dict[str, Any],
    crosses_zero: bool,
) -> Metric:
    """Return the metric of a function that is called with fixed keywords.

    Where they name labels, two classes keep theirs instead of 0 and 1.
    """
    as_labelled = any(keywords.get(key) is not None for key in ("pos_label", "labels"))
    return _metric(
        _Called(function, name, needs, keywords, as_labelled),
        task=task,
        higher_is_better=higher_is_better,
        bounds=(-math.inf, math.inf),
        crosses_zero=crosses_zero,
        smooth=True,
        resamples=None,
    )


@dataclass(frozen=True)
class _Called:
    """A function as it is called: what it is given, and what may come back."""

    function: Function
    name: str
    needs: Needs
    keywords: dict[str, Any] = field(default_factory=dict)
    #: Whether two classes keep their labels instead of 0 and 1.
    as_labelled: bool = False

    @property
    def weighs(self) -> bool:
        """Whether it takes ``sample_weight``."""
        try:
            parameters = inspect.signature(self.function).parameters.values()
        except (TypeError, ValueError):
            return False
        return any(p.name == "sample_weight" or p.kind is p.VAR_KEYWORD for p in parameters)

    def inputs(self, truth: Truth, predicted: Predicted) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return ``y_true`` and ``y_pred``."""
        said = predicted.form(self.needs)
        assert said is not None, "checked before"
        if truth.classes is None:
            return truth.values, said
        labels = self.labels(truth.classes)
        return labels[truth.values], labels[said] if self.needs == "label" else self._of(said, labels)

    def _of(self, said: npt.NDArray[Any], labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return scores or probabilities of the classes that the function takes them to be of.

        It sees labels and no order of them: columns are those of the sorted labels, and of two classes the
        positive one is the one that it is told, or the last.
        """
        if len(labels) > 2:
            order = np.argsort(labels, kind="stable")
            return said if np.array_equal(order, np.arange(len(order))) else said[:, order]
        found = said[:, 1] if said.ndim == 2 else said
        told = self.keywords.get("pos_label")
        positive = np.unique(labels)[-1] if told is None else told
        if not self.as_labelled or positive != labels[0]:
            return found
        return np.asarray(1 - found if self.needs == "probability" else -found)

    def labels(self, classes: tuple[Any, ...]) -> npt.NDArray[Any]:
        """Return what each class code is called."""
        return np.arange(2) if len(classes) == 2 and not self.as_labelled else np.asarray(classes)

    def __call__(
        self, y_true: npt.NDArray[Any], y_pred: npt.NDArray[Any], weight: Floats | None = None
    ) -> float:
        """Call it, and see to it that a number comes back."""
        keywords = self.keywords if weight is None else {**self.keywords, "sample_weight": weight}
        try:
            found = self.function(y_true, y_pred, **keywords)
        except ModelGateError:
            raise
        except Exception as error:
            raise EvaluationError(
                f"{self.name} failed with {one_line(error)}.", "Call it by itself to see the whole traceback."
            ) from error
        if isinstance(found, np.ndarray) and found.ndim == 0:
            found = found.item()
        if not isinstance(found, Real):
            raise EvaluationError(
                f"{self.name} must return a number, got {type(found).__name__}.",
                "Return a mean over the rows.",
            )
        return float(found)


def _metric(
    called: _Called,
    *,
    task: Task,
    higher_is_better: bool,
    bounds: tuple[float, float],
    crosses_zero: bool,
    smooth: bool,
    resamples: int | None,
) -> Metric:
    def value(truth: Truth, predicted: Predicted) -> float:
        y_true, y_pred = called.inputs(truth, predicted)
        if truth.weight is not None and not called.weighs:
            raise _needs_weights(called.name)
        return called(y_true, y_pred, truth.weight)

    def resampler(truth: Truth, predicted: Predicted) -> Callable[[Floats], Floats]:
        y_true, y_pred = called.inputs(truth, predicted)
        refuse_unsound(called.name, called, y_true, y_pred, weighs=called.weighs)

        def one(weight: Floats) -> float:
            drawn = np.flatnonzero(weight)
            try:
                if called.weighs:
                    return called(y_true[drawn], y_pred[drawn], weight[drawn])
                rows = np.repeat(drawn, _whole(weight[drawn], called.name))
                return called(y_true[rows], y_pred[rows])
            except UndefinedMetricError:
                return math.nan

        return lambda weights: np.array([one(weight) for weight in weights])

    cells = called.needs == "label" and called.weighs and smooth
    metric = Metric(
        name=called.name,
        task=task,
        needs=called.needs,
        higher_is_better=higher_is_better,
        value=value,
        family="resampled",
        resampler=resampler,
        resamples=resamples or RESAMPLES,
        crosses_zero=crosses_zero,
        bounds=bounds,
    )
    if not cells:
        return checked(metric)

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        assert truth.classes is not None, "checked before"
        assert predicted.labels is not None, "checked before"
        k = len(truth.classes)
        cell = truth.values * k + predicted.labels
        mass = np.bincount(cell, weights=truth.weight, minlength=k * k).astype(np.float64).reshape(k, k)
        table = _derivative(called, mass, called.labels(truth.classes))
        return truth.weigh(table.ravel().take(cell))

    return checked(
        replace(
            metric,
            family="cells",
            influence=influence,
            labelled=lambda classes: partial(_derivative, called, labels=called.labels(classes)),
        )
    )


def _derivative(called: _Called, confusion: Floats, labels: npt.NDArray[Any]) -> Floats:
    """Return the influence of a row of each cell of the confusion matrix, shape (K, K).

    Raises
    ------
    NotSmoothError
        If there is no derivative, or there are too many cells.
    EvaluationError
        If the value depends on the number of rows.
    """
    k = len(confusion)
    if k * k > MOST_CELLS:
        raise NotSmoothError(f"{called.name} has {k * k:,} cells to derive.", "It is resampled.")
    share = np.asarray(confusion, dtype=np.float64).ravel() / confusion.sum()
    true, said = (labels[codes] for codes in np.divmod(np.arange(k * k), k))

    def value(weights: Floats) -> float:
        there = np.flatnonzero(weights)
        try:
            return called(true[there], said[there], weights[there])
        except UndefinedMetricError:
            return math.nan

    refuse_unsound_cells(called.name, called, true, said)
    here = value(share)
    refuse_sum(called.name, here, value(2 * share))
    least = share[share > 0].min()
    slopes = np.empty((2, k * k))
    for cell in range(k * k):

        def slope(step: float, cell: int = cell) -> float:
            moved = share.copy()
            moved[cell] += step
            return (value(moved) - here) / step

        if share[cell] > 0:
            step = _STEP * share[cell]
            slopes[:, cell] = slope(step), slope(-step)
        else:  # there is one side only: two steps tell a slope from a jump
            step = _STEP * least
            wide, narrow = slope(step), slope(step / 2)
            slopes[:, cell] = 2 * narrow - wide, narrow
    if not np.isfinite(slopes).all():
        raise NotSmoothError(f"{called.name} does not exist next to these rows.", "It is resampled.")
    above, below = slopes
    if np.abs(above - below).max() > _KINK * np.abs(slopes).max():
        raise NotSmoothError(f"{called.name} has a kink or a jump here.", "It is resampled.")
    table = np.where(share > 0, (above + below) / 2, above)
    centred: Floats = table - float((share * table).sum())
    return centred.reshape(k, k)


def _whole(weights: Floats, name: str) -> npt.NDArray[np.intp]:
    """Return whole numbers in the same ratios: how often rows were drawn, whatever they count for each."""
    ratios = weights / weights.min()
    for parts in range(1, _MOST_PARTS + 1):
        counts = np.rint(ratios * parts)
        if np.abs(ratios * parts - counts).max() <= 1e-6 * parts:
            whole: npt.NDArray[np.intp] = counts.astype(np.intp)
            return whole
    raise _needs_weights(name)


def _needs_weights(name: str) -> EvaluationError:
    return EvaluationError(
        f"{name} takes no sample_weight, and these rows have weights or strata.",
        "Let the function take sample_weight=None.",
    )
