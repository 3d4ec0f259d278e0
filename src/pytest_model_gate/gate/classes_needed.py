"""Which classes a metric cannot do without: asked of the metric itself, on a few rows that lack one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ModelGateError, UndefinedMetricError
from ..metrics.metric import Metric
from ..metrics.rows import Predicted, Truth

#: Rows of each class that is there.
_ROWS = 4


def classes_needed(metric: Metric, classes: tuple[Any, ...]) -> frozenset[int]:
    """Return the codes of the classes without whose rows the metric does not exist.

    ROC-AUC needs both classes, recall the positive one, accuracy none.
    """
    every = range(len(classes))
    return frozenset(code for code in every if not _exists_without(metric, classes, code))


def _exists_without(metric: Metric, classes: tuple[Any, ...], absent: int) -> bool:
    k = len(classes)
    codes = np.repeat([code for code in range(k) if code != absent], _ROWS).astype(np.intp)
    truth = Truth(values=codes, classes=classes)
    probability = np.full((len(codes), k), 0.5 / k)
    probability[np.arange(len(codes)), codes] += 0.5
    predicted = Predicted(labels=codes, probability=probability[:, 1].copy() if k == 2 else probability)
    try:
        value = metric.value(truth, predicted)
    except UndefinedMetricError:
        return False
    except ModelGateError:  # it wants something else that these rows don't have
        return True
    except Exception:  # noqa: BLE001 - a metric of somebody else's, which may fail where a class is absent
        return False
    return bool(np.isfinite(value))
