"""Two models on different rows: against other software, and how often the verdict is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as peer

import pytest_model_gate
from pytest_model_gate import Verdict, compare, compare_unpaired
from pytest_model_gate.errors import ConfigurationError, InvalidError


def scores(rng: np.random.Generator, n: int, distance: float) -> tuple[np.ndarray, np.ndarray]:
    y = (np.arange(n) < n // 2).astype(int)
    return y, y * distance + rng.normal(size=n)


def test_means_are_compared_by_welch():
    rng = np.random.default_rng(0)
    here, there = rng.normal(size=1_500), rng.normal(size=900)
    found = compare_unpaired(
        np.zeros(1_500), here, np.zeros(900), 1.1 * there, metric="mean_squared_error", max_regression=0.1
    )
    test = peer.ttest_ind(np.square(1.1 * there), np.square(here), equal_var=False)
    assert found.gain == pytest.approx(np.square(1.1 * there).mean() - np.square(here).mean(), rel=1e-9)
    assert found.standard_error == pytest.approx(found.gain / test.statistic, rel=1e-9)
    assert found.n == 2_400
    assert found.interval.method == "welch (paired t) and mover (paired t and tilted score)"


def test_the_interval_is_wider_than_on_the_same_rows():
    rng = np.random.default_rng(1)
    y, score = scores(rng, 2_000, 1.2)
    other = score + 0.2 * rng.normal(size=len(y))
    same = compare(y, score, other, metric="roc_auc", max_regression=0.02)
    apart = compare_unpaired(y, score, y, other, metric="roc_auc", max_regression=0.02)
    assert apart.gain == same.gain
    assert apart.standard_error > 3 * same.standard_error
    assert apart.interval.method == "mover (newcombe)"
    assert same.verdict is Verdict.PASS
    assert apart.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("metric", "draw"),
    [
        ("accuracy", lambda rng, n: (np.ones(n, int), (rng.random(n) < 0.9).astype(int))),
        ("f1", lambda rng, n: ((y := np.arange(n) % 3 == 0), y ^ (rng.random(n) < 0.1))),
        ("roc_auc", lambda rng, n: scores(rng, n, 1.2)),
        ("mean_absolute_error", lambda rng, n: (np.zeros(n), rng.normal(size=n))),
        ("r2", lambda rng, n: ((y := rng.normal(size=n)), y + rng.normal(size=n))),
    ],
)
def test_swapping_the_samples_mirrors_the_interval(metric, draw):
    rng = np.random.default_rng(2)
    one, other = draw(rng, 300), draw(rng, 500)
    there = compare_unpaired(*one, *other, metric=metric, classes=(0, 1) if metric == "accuracy" else None)
    back = compare_unpaired(*other, *one, metric=metric, classes=(0, 1) if metric == "accuracy" else None)
    assert (back.gain, back.interval.low, back.interval.high) == (
        -there.gain,
        -there.interval.high,
        -there.interval.low,
    )


def wrong(
    metric: str, draw, *, tolerance: float | str, samples: int, sizes=(400, 300)
) -> tuple[float, float]:
    """Return how often a candidate that is worse by the tolerance passes, and how often it is accused."""
    rng = np.random.default_rng(7)
    verdicts = [
        compare_unpaired(
            *draw(rng, sizes[0], True), *draw(rng, sizes[1], False), metric=metric, max_regression=tolerance
        ).verdict
        for _ in range(samples)
    ]
    return tuple(np.mean([v is kind for v in verdicts]) for kind in (Verdict.PASS, Verdict.REGRESSED))


def binormal(rng, n, worse):
    area = 0.80 if worse else 0.85
    return scores(rng, n, math.sqrt(2) * peer.norm.ppf(area))


def losses(rng, n, worse):
    return np.zeros(n), rng.normal(size=n) * (1.2 if worse else 1.0)


def labels(rng, n, worse):
    # F1 = 2 * 0.5 * 0.8 / (0.5 + 0.5 * 0.8 + 0.5 * 0.2) = 0.8 for production, 0.7 for the candidate.
    y = np.arange(n) % 2
    right = 0.7 if worse else 0.8
    return y, np.where(rng.random(n) < right, y, 1 - y)


@pytest.mark.parametrize(
    ("metric", "draw", "tolerance"),
    [
        ("roc_auc", binormal, 0.05),
        ("mean_squared_error", losses, 0.44),
        ("mean_squared_error", losses, "44%"),
        ("f1", labels, 0.1),
    ],
)
def test_one_sided_errors_at_the_margin(metric, draw, tolerance):
    passed, accused = wrong(metric, draw, tolerance=tolerance, samples=1_000)
    # 5 %, its allowance of a fifth, and 3 standard deviations of 1,000 samples.
    assert 0.015 < passed <= 0.081
    assert 0.02 < accused <= 0.081


def test_relative_tolerances_are_estimates_here_too():
    found = compare_unpaired(
        np.zeros(100),
        np.linspace(-1, 1, 100),
        np.zeros(200),
        np.linspace(-1, 1, 200),
        metric="mse",
        max_regression="20%",
    )
    absolute = compare_unpaired(
        np.zeros(100),
        np.linspace(-1, 1, 100),
        np.zeros(200),
        np.linspace(-1, 1, 200),
        metric="mse",
        max_regression=found.tolerance,
    )
    assert found.standard_error > absolute.standard_error
    assert found.gain == absolute.gain


def test_weights_and_groups_are_given_for_both():
    rng = np.random.default_rng(3)
    found = compare_unpaired(
        np.zeros(200),
        rng.normal(size=200),
        np.zeros(100),
        rng.normal(size=100),
        metric="mae",
        groups=(np.arange(200) // 10, np.arange(100) // 10),
        sample_weight=(np.ones(200), rng.random(100) + 0.5),
    )
    assert found.interval.method == "welch (influence) and mover (influence and tilted score)"
    with pytest.raises(ConfigurationError, match=r"groups must be two arrays, got ndarray\."):
        compare_unpaired([0], [0], [0], [0], metric="mae", groups=np.zeros(2))


def test_classes_of_both_samples_count_and_trouble_names_its_sample():
    found = compare_unpaired([0, 1, 2] * 9, [0, 1, 2] * 9, [0, 1] * 9, [0, 1] * 9, metric="accuracy")
    assert (found.candidate, found.production) == (1.0, 1.0)
    assert found.interval.method == "miettinen-nurminen"
    with pytest.raises(
        InvalidError, match=r"The production's sample: y_true must be finite numbers, but 1 of"
    ):
        compare_unpaired([1.0, 2.0], [1.0, 2.0], [1.0, math.nan], [1.0, 2.0], metric="mae")


def test_it_is_public():
    assert pytest_model_gate.compare_unpaired is compare_unpaired


@pytest.mark.parametrize(("n", "m", "verdict"), [(50, 500, "pass"), (500, 50, "regressed")])
def test_heavy_tails_of_a_small_sample_are_judged_with_the_tilted_score(n, m, verdict):
    rng = np.random.default_rng(2)
    runs, found = 200, 0
    for _ in range(runs):
        candidate, production = 0.5 + rng.exponential(size=n) ** 2, rng.exponential(size=m) ** 2
        judged = compare_unpaired(
            np.zeros(n), candidate, np.zeros(m), production, metric="mae", max_regression=0.5
        )
        found += judged.verdict.value == verdict
    assert found <= 0.09 * runs  # Welch alone: 11 %
