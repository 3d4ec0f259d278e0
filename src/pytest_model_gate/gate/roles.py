"""What a role says, in the terms of the truth: its labels as codes, its probabilities in class order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError
from ..hooks import ModelProtocol
from ..metrics.rows import Floats, Ints, Predicted, Truth
from ..models.contract import check_predictions
from ..models.scoring import Scored
from ..results import Finding
from .encode import encode_labels, encode_target, plain_classes, positive_last


def encode_classes(
    labels: npt.NDArray[Any], known: Sequence[tuple[Any, ...] | None], *, pos_label: Any
) -> tuple[Ints, tuple[Any, ...], tuple[Any, ...]]:
    """Encode the target with every class that the data or a model knows.

    Parameters
    ----------
    labels : ndarray, shape (n,)
        The target.
    known : sequence of tuple or None
        The classes of each model, where it says.
    pos_label : scalar or None
        The positive one of two classes.

    Returns
    -------
    codes : ndarray of int, shape (n,)
        Class codes.
    classes : tuple
        All labels in code order; with two, the positive one last.
    occurring : tuple
        The labels that occur in the data, sorted.
    """
    codes, occurring = encode_target(labels, task="classification", classes=None)
    assert occurring is not None, "unreachable: a classification target has classes"
    occurring = _sorted(occurring)
    union = set(occurring).union(*(plain_classes(classes) for classes in known if classes is not None))
    try:
        classes = positive_last(tuple(sorted(union)), pos_label)
    except TypeError:
        # Labels of other types than the target's: the models' contract says so, in its own words.
        classes = positive_last(occurring, pos_label)
    codes, _ = encode_target(labels, task="classification", classes=classes, pos_label=pos_label)
    return codes.astype(np.intp, copy=False), classes, occurring


def findings(
    role: str, scored: Scored, model: ModelProtocol, truth: Truth, occurring: Any, *, rows: int
) -> list[Finding]:
    """Return everything that keeps a role's predictions from being judged."""
    return check_predictions(
        role,
        scored,
        rows=rows,
        model_classes=None if truth.classes is None else model.classes,
        data_classes=occurring,
    )


def encode_predictions(
    scored: Scored, model: ModelProtocol, truth: Truth, *, threshold: float | None, role: str
) -> Predicted:
    """Return what metrics read of one role's predictions.

    Labels come from the probabilities where there are any: the most probable class, or the positive one
    where its probability reaches the threshold.

    Raises
    ------
    ConfigurationError
        If a threshold is given where there are no probabilities of two classes.
    """
    if truth.classes is None:
        return Predicted(value=_float64(scored.value))
    probability = _probability(scored.probability, model.classes, truth.classes)
    positive = None if probability is None or len(truth.classes) != 2 else _positive(probability)
    if threshold is not None and positive is None:
        raise ConfigurationError(
            f"threshold.{role} = {threshold:g} needs probabilities of two classes, "
            f"which the {role} does not give.",
            "Remove the threshold, or name a model with predict_proba.",
        )
    labels: Ints | None = None
    if positive is not None:
        # At exactly one half scikit-learn's argmax says the negative class.
        labels = (positive >= threshold if threshold is not None else positive > 0.5).astype(np.intp)
    elif probability is not None:
        labels = np.argmax(probability, axis=1)
    elif scored.labels is not None:
        labels = encode_labels(scored.labels, truth.classes, what=f"the {role}'s labels")
    score = _float64(scored.score)
    if score is not None and model.classes is not None and tuple(model.classes) == truth.classes[::-1]:
        score = -score  # the model's positive class is the gate's negative one
    return Predicted(
        labels=labels, probability=positive if positive is not None else probability, score=score
    )


def _probability(
    probability: Floats | None, of: tuple[Any, ...] | None, classes: tuple[Any, ...]
) -> Floats | None:
    """Return probabilities with one column per class of the truth, or of the positive class alone."""
    if probability is None:
        return None
    probability = probability.astype(np.float64, copy=False)
    # A model that doesn't name its classes has them sorted, or gives the positive one alone.
    order = plain_classes(of) if of is not None else _sorted(classes)
    if probability.ndim == 1:
        second = classes[-1] if of is None else order[-1]
        return probability if second == classes[-1] else 1.0 - probability
    if order == classes:
        return probability
    full = np.zeros((len(probability), len(classes)))
    for column, label in enumerate(order):
        full[:, classes.index(label)] = probability[:, column]
    return full


def _positive(probability: Floats) -> Floats:
    return probability if probability.ndim == 1 else np.ascontiguousarray(probability[:, 1])


def _sorted(classes: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(classes))


def _float64(array: npt.NDArray[Any] | None) -> Floats | None:
    return None if array is None else array.astype(np.float64, copy=False)
