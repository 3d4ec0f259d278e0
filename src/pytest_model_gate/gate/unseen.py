"""Classes that an average counts because a model predicts them, and of which no row was drawn."""

from __future__ import annotations

import numpy as np

from ..metrics.checked import label
from ..metrics.metric import Metric
from ..metrics.rows import Predicted
from .cells import FURTHER, counts_cells, imaginary_rows, label_mass
from .sample import Sample


def unseen(metric: Metric, sample: Sample, *models: Predicted) -> str:
    """Return why no row of a class leaves an average over classes undecided. Empty: it doesn't.

    Who predicts such a class has a precision and an F of 0 there, who does not has none. That is a whole
    class of the average, decided by one row or two, and the first row that is drawn of the class moves it
    further than any mistake does.
    """
    truth = sample.truth
    if not counts_cells(metric, truth) or len(sample.class_sizes) == 2 or min(sample.class_sizes) > 0:
        return ""
    assert truth.classes is not None, "cells are counted for classes"
    assert metric.cell_influence is not None, "cells are counted by it"
    absent = np.array(sample.class_sizes) == 0
    for model in models:
        assert model.labels is not None, "cells are counted of labels"
        mass = label_mass(truth.values, model.labels, truth.weight, len(truth.classes))
        guessed = np.flatnonzero(absent & (mass.sum(axis=0) > 0))
        if not len(guessed):
            continue
        influence = metric.cell_influence(mass)
        true, named = imaginary_rows(mass)
        usual = float(np.abs(influence[true, named] - influence[true, true]).max())
        for code in guessed:
            if abs(influence[code, code]) > FURTHER * usual:
                return (
                    f"{metric.name} counts {label(truth.classes, int(code))}, because a model predicts it, "
                    f"and these {sample.n:,} rows have none of it: at least 1 is needed"
                )
    return ""
