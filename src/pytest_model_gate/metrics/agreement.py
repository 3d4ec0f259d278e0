"""Metrics of the whole confusion matrix: accuracy, balanced accuracy, MCC and Cohen's kappas."""

from __future__ import annotations

import math

import numpy as np

from .checked import label_list, undefined
from .confusion import Cells, cell_metric, right_rows
from .levels import Floats
from .metric import Metric
from .rows import Mask, Predicted, Truth


def accuracy(name: str = "accuracy") -> Metric:
    """Return the share of right labels, which is also every micro average of a single-label problem."""
    return cell_metric(
        name=name, value=_accuracy, influence=_accuracy_influence, family="proportion", hits=_right
    )


def balanced_accuracy() -> Metric:
    """Return the mean recall over the classes in the truth.

    scikit-learn leaves out a class that is predicted but never true. That class has no recall, so the
    metric is undefined here.
    """
    return cell_metric(name="balanced_accuracy", value=_balanced, influence=_balanced_influence)


def informedness(name: str) -> Metric:
    """Return the sum of the two classes' recalls less 1 (Youden's J), where both classes are in the truth."""

    def value(cells: Cells) -> float:
        return float(np.sum(cells.right / cells.true) - 1)

    def influence(shares: Cells) -> Floats:
        return np.diag(1 / shares.true) - (shares.right / shares.true**2)[:, None]

    return cell_metric(name=name, value=value, influence=influence)


def matthews_corrcoef() -> Metric:
    """Return the Matthews correlation of truth and labels, for any number of classes.

    scikit-learn returns 0 where either is constant. A correlation does not exist there.
    """
    return cell_metric(
        name="matthews_corrcoef", value=_matthews, influence=_matthews_influence, crosses_zero=True
    )


def cohen_kappa(name: str = "cohen_kappa", *, power: int = 0) -> Metric:
    """Return the agreement beyond chance.

    With one class in the truth, kappa is 0 whatever the model says (or 0/0), so it is undefined here.

    Parameters
    ----------
    name : str
        Name.
    power : int
        Labels that are d classes apart disagree by ``d**power``: 0 for plain kappa, 1 for linear, 2 for
        quadratic weights. The classes stand in their order, also those that these rows don't have.
    """

    def value(cells: Cells) -> float:
        _two_true_classes(name, cells)
        # From the disagreement, as 1 - observed / expected: exact where the agreement is nearly complete.
        apart = _apart(len(cells.matrix), power)
        expected = apart * np.outer(cells.true, cells.predicted)
        return float(1 - (apart * cells.matrix).sum() / (expected.sum() / cells.total))

    def influence(shares: Cells) -> Floats:
        apart = _apart(len(shares.matrix), power)
        observed = float((apart * shares.matrix).sum())
        of_true = (apart * shares.predicted[None, :]).sum(axis=1)  # expected of a row of each true class
        of_predicted = (apart * shares.true[:, None]).sum(axis=0)
        expected = float((of_true * shares.true).sum())
        d_observed = apart - observed
        d_expected = of_true[:, None] + of_predicted[None, :] - 2 * expected
        table: Floats = (d_expected * (observed / expected) - d_observed) / expected
        return table

    return cell_metric(
        name=name, value=value, influence=influence, crosses_zero=True, ordered_classes=power > 0
    )


def _right(truth: Truth, predicted: Predicted) -> tuple[Mask, Mask]:
    return right_rows(truth, predicted), np.ones(truth.n, dtype=np.bool_)


def _accuracy(cells: Cells) -> float:
    return float(cells.right.sum() / cells.total)


def _accuracy_influence(shares: Cells) -> Floats:
    return np.eye(len(shares.matrix)) - _accuracy(shares)


def _two_true_classes(name: str, cells: Cells) -> None:
    present = np.flatnonzero(cells.true)
    if len(present) < 2:
        found = f"{cells.rows} hold only {label_list(cells.classes, present)}"
        raise undefined(name, "at least two classes in the target", found)


def _balanced(cells: Cells) -> float:
    _two_true_classes("balanced_accuracy", cells)
    strangers = np.flatnonzero((cells.true == 0) & (cells.predicted > 0))
    if len(strangers):
        found = f"{cells.rows} have none of {label_list(cells.classes, strangers)}"
        raise undefined("balanced_accuracy", "rows of every class that is predicted", found)
    present = cells.true > 0
    return float(np.mean(cells.right[present] / cells.true[present]))


def _balanced_influence(shares: Cells) -> Floats:
    present = shares.true > 0
    true = np.where(present, shares.true, 1.0)
    recall = shares.right / true
    own = np.where(present, 1 / (true * np.count_nonzero(present)), 0.0)
    return np.diag(own) - (own * recall)[:, None]


def _matthews(cells: Cells) -> float:
    _two_true_classes("matthews_corrcoef", cells)
    hat = np.flatnonzero(cells.predicted)
    if len(hat) < 2:
        raise undefined(
            "matthews_corrcoef",
            "at least two classes in the predictions",
            f"the model predicts {label_list(cells.classes, hat)} on all of {cells.rows}",
            "Use a metric that exists for constant predictions, such as balanced_accuracy or log_loss.",
        )
    chance, of_true, of_predicted = _covariances(cells)
    return chance / math.sqrt(of_true * of_predicted)


def _covariances(cells: Cells) -> tuple[float, float, float]:
    total, true, hat = cells.total, cells.true, cells.predicted
    both = float(cells.right.sum() * total - np.dot(true, hat))
    return both, float(total**2 - np.dot(true, true)), float(total**2 - np.dot(hat, hat))


def _matthews_influence(shares: Cells) -> Floats:
    both, of_true, of_hat = _covariances(shares)
    root = math.sqrt(of_true * of_hat)
    true, hat = shares.true[:, None], shares.predicted[None, :]
    # A row of cell (r, c) raises true[r] and predicted[c]; so true . predicted by predicted[r] + true[c].
    d_both = np.eye(len(true)) + shares.right.sum() - shares.predicted[:, None] - shares.true[None, :]
    table: Floats = d_both / root - both / root * ((1 - true) / of_true + (1 - hat) / of_hat)
    return table


def _apart(k: int, power: int) -> Floats:
    """Return how much each pair of labels disagrees."""
    codes = np.arange(k)
    steps = np.abs(codes[:, None] - codes[None, :]).astype(np.float64)
    apart: Floats = np.sign(steps) if power == 0 else steps**power
    return apart
