"""An F of 1 against 0 on two rows proves nothing: cells without spread need rows that tell models apart."""

import numpy as np
import pytest

from pytest_model_gate import compare
from pytest_model_gate.errors import UndefinedMetricError


@pytest.mark.parametrize(("positives", "verdict"), [(1, "inconclusive"), (9, "inconclusive"), (10, "pass")])
def test_few_rows_that_tell_models_apart_prove_nothing(positives, verdict):
    truth = np.repeat([0, 1], [30, positives])
    found = compare(truth, truth, np.zeros_like(truth), metric="f1", max_regression=0.05)
    assert (found.candidate, found.production, found.verdict.value) == (1.0, 0.0, verdict)
    rows = "1 row tells" if positives == 1 else f"{positives} rows tell"
    if verdict == "inconclusive":
        assert (
            found.reason
            == f"{rows} the models apart, all in one way: too few for an interval of f1, 10 are needed"
        )
    turned = compare(truth, np.zeros_like(truth), truth, metric="f1", max_regression=0.05)
    assert turned.verdict.value == {"pass": "regressed"}.get(verdict, verdict)


def test_f1_with_few_positives_rarely_passes_at_the_margin():
    rng, rows, share, false_alarms = np.random.default_rng(2), 40, 0.03, 0.003
    passed = asked = thin = 0

    def f1(recall):
        return 2 * share * recall / (share * recall + share + (1 - share) * false_alarms)

    for _ in range(400):
        truth = (rng.random(rows) < share).astype(int)
        if truth.min() == truth.max():
            continue
        production, candidate = (
            (rng.random(rows) < np.where(truth == 1, recall, false_alarms)).astype(int)
            for recall in (0.6, 0.5)
        )
        asked += 1
        try:
            found = compare(truth, candidate, production, metric="f1", max_regression=f1(0.6) - f1(0.5))
        except UndefinedMetricError:
            continue
        passed += found.verdict.value == "pass"
        # What would pass by its interval alone: the guard is what this test is about.
        thin += found.verdict.value == "inconclusive" and found.interval.low > -found.tolerance
    assert passed <= 0.05 * asked
    assert passed + thin > 0.05 * asked
