"""The public ``compare_unpaired``: two models, or one model twice, each on rows of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..errors import ConfigurationError, InvalidError
from ..metrics.metric import Metric
from ..metrics.rows import Predicted
from ..results import Comparison
from ..spec import Tolerance
from ..stats.clopper_pearson import Proportion
from ..stats.inference import Inference
from ..stats.student import Student
from ..stats.unpaired import Mover, UnpairedProportions, welch
from ..stats.wider import Wider
from .arrays import occurring, validated
from .canonical import Steady, canonical
from .compared import compared, seeded, understood
from .found import relative_weight
from .measure import Measured, measure_floor
from .sample import Sample

#: What may be given for each of the two samples.
_PAIRS = ("sample_weight", "groups", "strata", "query")


def compare_unpaired(
    y_candidate: Any,
    candidate: Any,
    y_production: Any,
    production: Any,
    *,
    metric: str | Metric,
    max_regression: float | str | Tolerance = 0.0,
    alpha: float = 0.05,
    sample_weight: tuple[Any, Any] | None = None,
    groups: tuple[Any, Any] | None = None,
    strata: tuple[Any, Any] | None = None,
    query: tuple[Any, Any] | None = None,
    classes: Sequence[Any] | None = None,
    pos_label: Any = 1,
    seed: int = 0,
) -> Comparison:
    """Compare predictions that were made on different, independent samples.

    For one model on two windows of time ("is production worse than at its release?"), or for a model whose
    old holdout is gone. Where both models can be scored on the same rows, :func:`compare` needs several
    times fewer of them.

    Parameters
    ----------
    y_candidate, y_production : array-like, shape (n,) and (m,)
        Labels or numbers of the two samples.
    candidate, production : array-like
        What the models say of them, as for :func:`compare`.
    metric, max_regression, alpha, classes, pos_label, seed
        As for :func:`compare`.
    sample_weight, groups, strata, query : tuple of two array-like, optional
        For the candidate's sample and for production's. A group that has rows in both samples makes them
        dependent, which is not seen here.

    Returns
    -------
    Comparison
        As of :func:`compare`; ``n`` and ``rows_needed`` count the rows of both samples.

    Raises
    ------
    InvalidError
        If the arrays break their contract.
    EvaluationError
        If the metric cannot be evaluated on either sample.
    ConfigurationError
        If the question makes no sense.

    Examples
    --------
    >>> spring, summer = [1, 0, 1, 1] * 100, [0, 1, 1, 0] * 100
    >>> compare_unpaired(summer, summer, spring, spring, metric="accuracy", max_regression=0.02).verdict.value
    'pass'
    """
    asked, tolerance = understood(metric, max_regression, alpha)
    resampling = seeded(seed)
    pairs = dict(zip(_PAIRS, (sample_weight, groups, strata, query), strict=True))
    for name, pair in pairs.items():
        if pair is not None and not (isinstance(pair, tuple | list) and len(pair) == 2):
            raise ConfigurationError(
                f"{name} must be two arrays, got {type(pair).__name__}.",
                f"Write {name}=(of the candidate's rows, of production's rows).",
            )
    if classes is None and asked.task == "classification":
        found = [
            occurring(truth, {role: said} if asked.needs == "label" else {})
            for truth, role, said in (
                (y_candidate, "candidate", candidate),
                (y_production, "production", production),
            )
        ]
        # Both are encoded alike. Labels of two types are refused where they are encoded.
        classes = sorted(set().union(*found), key=lambda label: (type(label).__name__, label))
    sides = []
    for index, (role, truth, said) in enumerate(
        (("candidate", y_candidate, candidate), ("production", y_production, production))
    ):
        own = {name: None if pair is None else pair[index] for name, pair in pairs.items()}
        try:
            sample, predicted, _ = validated(
                truth, said, said, metric=asked, classes=classes, pos_label=pos_label, **own
            )
        except InvalidError as error:
            raise InvalidError(f"The {role}'s sample: {error.what}", error.remedy) from None
        sides.append((replace(sample, resampling=resampling), predicted))
    relative = tolerance.value if tolerance.relative else 0.0
    return compared(asked, measure_unpaired(asked, *sides[0], *sides[1], relative), tolerance, alpha)


def measure_unpaired(
    metric: Metric,
    sample: Sample,
    candidate: Predicted,
    other: Sample,
    reference: Predicted,
    relative: float = 0.0,
) -> Measured:
    """Measure two models on independent samples, each by the method for one model."""
    one = measure_floor(metric, sample, candidate, 0.0)
    two = measure_floor(metric, other, reference, 0.0)
    first, second = _inner(one.inference), _inner(two.inference)
    inference: Inference
    if isinstance(first, Proportion) and isinstance(second, Proportion) and not relative:
        inference = UnpairedProportions(first.right, first.n, second.right, second.n)
    else:
        weight = relative_weight(metric, two.candidate, relative)
        if isinstance(first, Student) and isinstance(second, Student):
            inference = welch(first, second, weight)
            whole = _whole(one.inference), _whole(two.inference)
            if any(isinstance(each, Wider) for each in whole):
                # What the tilted score knows of tails that were hardly drawn must not be lost.
                inference = Wider(inference, Mover(*whole, weight))
        else:
            inference = Mover(first, second, weight)
    scale = max(abs(one.candidate), abs(two.candidate))
    gain = canonical(metric.sign * (one.candidate - two.candidate), scale)
    return Measured(
        n=one.n + two.n,
        candidate=one.candidate,
        reference=two.candidate,
        inference=Steady(inference, gain, scale),
        caution=one.caution or two.caution,
    )


def _whole(inference: Inference) -> Inference:
    """Return what was measured."""
    return inference.inner if isinstance(inference, Steady) else inference


def _inner(inference: Inference) -> Inference:
    """Return what was measured, of two methods the t interval alone: two of those are combined by Welch."""
    inner = _whole(inference)
    return inner.first if isinstance(inner, Wider) and isinstance(inner.first, Student) else inner
