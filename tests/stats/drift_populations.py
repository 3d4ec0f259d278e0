"""Two populations whose true effect is exactly at a threshold, for every measure of drift.

``python tests/stats/drift_populations.py [ROUNDS]`` prints the error rates of all of them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from pytest_model_gate.stats.drift.effect import Effect
from pytest_model_gate.stats.drift.levels import (
    Table,
    cramer_v,
    jensen_shannon,
    stability,
    total_variation,
)
from pytest_model_gate.stats.drift.pair import Pair
from pytest_model_gate.stats.drift.ranks import area_effect
from pytest_model_gate.stats.drift.smirnov import smirnov_effect
from pytest_model_gate.stats.drift.transport import transport_effect

ALPHA = 0.05
SIZES = ((60, 60), (100, 100), (500, 500), (2000, 300), (300, 2000))
NORMAL = NormalDist()

Draw = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True)
class Population:
    """Reference and current, and the measure whose value is ``threshold`` between them."""

    name: str
    threshold: float
    x: Draw
    y: Draw
    measure: Callable[[np.ndarray, np.ndarray], Effect]


def _area(x, y):
    return area_effect(Pair.of(x, y), ALPHA)


def _smirnov(x, y):
    return smirnov_effect(Pair.of(x, y), ALPHA)


def _transport(x, y):
    return transport_effect(Pair.of(x, y), ALPHA, None)


def _normal(mean=0.0, sd=1.0) -> Draw:
    return lambda rng, n: rng.normal(mean, sd, n)


def _exponential(scale=1.0) -> Draw:
    return lambda rng, n: rng.exponential(scale, n)


def _uniform(low, high) -> Draw:
    return lambda rng, n: rng.uniform(low, high, n)


def _codes(shares) -> Draw:
    return lambda rng, n: rng.choice(len(shares), n, p=shares).astype(float)


def _contaminated(share, by) -> Draw:
    return lambda rng, n: rng.normal(0, 1, n) + by * (rng.random(n) < share)


def area_of(p, q):
    """Area between two vectors of shares of ordered levels."""
    return float(sum(q[k] * (p[:k].sum() + p[k] / 2) for k in range(len(p))))


def numbers() -> Iterator[Population]:
    """Populations of numbers."""
    z = NORMAL.inv_cdf(0.55)
    yield Population("auc normal", 0.05, _normal(), _normal(math.sqrt(2) * z), _area)
    yield Population("auc spread", 0.05, _normal(), _normal(math.sqrt(10) * z, 3), _area)
    yield Population("auc exponential", 0.05, _exponential(), _exponential(0.55 / 0.45), _area)
    p = np.full(5, 0.2)
    q = scaled(p, np.array([0.1, 0.1, 0.1, 0.1, 0.6]), lambda a, b: area_of(a, b) - 0.5, 0.05)
    yield Population("auc five values", 0.05, _codes(p), _codes(q), _area)
    p = np.array([0.95, 0.05])
    q = scaled(p, np.array([0.5, 0.5]), lambda a, b: area_of(a, b) - 0.5, 0.05)
    yield Population("auc rare value", 0.05, _codes(p), _codes(q), _area)
    shift = 2 * NORMAL.inv_cdf(0.55)
    yield Population("ks normal", 0.1, _normal(), _normal(shift), _smirnov)
    yield Population("ks flat", 0.1, _uniform(0, 1), _uniform(0.1, 1.1), _smirnov)
    yield Population("ks both ways", 0.1, _uniform(0, 1), _both_ways(0.1), _smirnov)
    yield Population("ks rare value", 0.1, _codes([0.98, 0.02]), _codes([0.88, 0.12]), _smirnov)
    yield Population("wasserstein normal", 0.1, _normal(), _normal(0.1), _transport)
    wider = 1 + 0.1 / math.sqrt(2 / math.pi)
    yield Population("wasserstein spread", 0.1, _normal(), _normal(0, wider), _transport)
    yield Population("wasserstein exponential", 0.1, _exponential(), _exponential(1.1), _transport)
    yield Population("wasserstein far", 0.1, _normal(), _contaminated(0.05, 2), _transport)


def _both_ways(share) -> Draw:
    # A tenth goes from the middle to either end, so that both one-sided distances are reached.
    def draw(rng, n):
        values = rng.uniform(0, 1, n)
        inner = np.abs(values - 0.5) < share
        return np.where(inner, np.where(rng.random(n) < 0.5, -1.0, 2.0), values)

    return draw


def tv_of(p, q):
    """Total variation."""
    return float(np.abs(p - q).sum() / 2)


def js_of(p, q):
    """Jensen-Shannon distance, base 2."""
    mix = (p + q) / 2
    terms = [np.where(side > 0, side * np.log2(np.where(side > 0, side, 1) / mix), 0) for side in (p, q)]
    return math.sqrt(float(terms[0].sum() + terms[1].sum()) / 2)


def psi_of_shares(p, q):
    """Population stability index."""
    return float(((q - p) * np.log(q / p)).sum())


def v_of(p, q, m, n):
    """Cramer's V with samples of these sizes."""
    u, w = m / (m + n), n / (m + n)
    mix = u * p + w * q
    return math.sqrt(float((u * (p - mix) ** 2 / mix + w * (q - mix) ** 2 / mix).sum()))


def scaled(p, away, distance, threshold):
    """Return the mixture of ``p`` and ``away`` whose distance from ``p`` is the threshold."""
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if distance(p, (1 - middle) * p + middle * away) < threshold:
            low = middle
        else:
            high = middle
    return (1 - low) * p + low * away


def shapes() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Shares of levels, and in which direction they move."""
    yield "two levels", np.array([0.5, 0.5]), np.array([0.0, 1.0]) * 0.9 + 0.05
    yield "rare level", np.array([0.95, 0.05]), np.array([0.3, 0.7])
    yield "ten levels", np.full(10, 0.1), np.tile([0.02, 0.18], 5)
    yield "ten bins shifted", np.full(10, 0.1), np.linspace(0.02, 0.18, 10)
    yield "one of ten", np.full(10, 0.1), np.array([0.02] * 9 + [0.82])
    yield "thirty levels", _zipf(30), _zipf(30)[::-1]


def _zipf(count):
    shares = 1 / np.arange(1, count + 1)
    return shares / shares.sum()


def tables(m: int, n: int) -> Iterator[tuple[str, float, np.ndarray, np.ndarray, Callable]]:
    """Shares of the two sides at the threshold of each measure."""
    for name, p, away in shapes():
        yield f"tv {name}", 0.1, p, scaled(p, away, tv_of, 0.1), total_variation
        yield f"js {name}", 0.1, p, scaled(p, away, js_of, 0.1), jensen_shannon
        yield f"psi {name}", 0.1, p, scaled(p, away, psi_of_shares, 0.1), stability
        q = scaled(p, away, lambda a, b: v_of(a, b, m, n), 0.1)
        yield f"cramer_v {name}", 0.1, p, q, cramer_v


def rates(found: list[Effect], threshold: float) -> tuple[float, float]:
    """How often is it called drifted, and how often does it pass."""
    return (
        float(np.mean([effect.low > threshold for effect in found])),
        float(np.mean([effect.high <= threshold for effect in found])),
    )


def of_numbers(population: Population, m: int, n: int, rounds: int, seed: int = 1) -> tuple[float, float]:
    """Return both error rates of a population of numbers."""
    rng = np.random.default_rng(seed)
    found = [population.measure(population.x(rng, m), population.y(rng, n)) for _ in range(rounds)]
    return rates(found, population.threshold)


def of_tables(threshold, p, q, measure, m: int, n: int, rounds: int, seed: int = 1) -> tuple[float, float]:
    """Return both error rates of a population of levels."""
    rng = np.random.default_rng(seed)
    of_p, of_q = rng.multinomial(m, p, rounds), rng.multinomial(n, q, rounds)
    found = []
    for a, b in zip(of_p, of_q, strict=True):
        held = (a + b) > 0
        found.append(measure(Table(a[held], b[held]), ALPHA))
    return rates(found, threshold)


def main(rounds: int) -> None:
    """Print all rates."""
    for m, n in SIZES:
        for population in numbers():
            drifted, passed = of_numbers(population, m, n, rounds)
            print(f"{m:5} {n:5}  {population.name:28} drifted {drifted:.4f}  pass {passed:.4f}", flush=True)
        for name, threshold, p, q, measure in tables(m, n):
            drifted, passed = of_tables(threshold, p, q, measure, m, n, rounds)
            print(f"{m:5} {n:5}  {name:28} drifted {drifted:.4f}  pass {passed:.4f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
