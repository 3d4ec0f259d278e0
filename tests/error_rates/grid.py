"""The places of the grid: which metric is measured in which population, on how many rows, drawn how."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache

from class_populations import ManyClasses, Miscalibrated, TwoClasses
from layouts import NAMES, Layout
from number_populations import TAILS, Numbers, Positives, Quantiles
from populations import Population
from query_populations import Queries

from pytest_model_gate.metrics.catalogue import names, resolve
from pytest_model_gate.metrics.metric import Metric

SIZES = (50, 200, 1_000, 10_000)
PREVALENCES = (0.5, 0.1, 0.02)
CORRELATIONS = (0.0, 0.5, 0.95)
QUALITIES = (0.7, 0.9, 0.99)
EXPLAINED = (0.3, 0.7, 0.95)
#: Stretch and shift of the reference's log-odds, and the candidate's.
OFF = (
    ((1.0, 0.0), (1.3, 0.3)),
    ((1.3, 0.3), (1.7, 0.6)),
    ((0.8, -0.2), (0.6, -0.4)),
)
OTHER_LAYOUTS = ("weights", "strata", "groups10", "groups50", "copies")

#: Many classes take longest, and are drawn in fewer ways; a copy of a query is a query of its own.
FEWER_LAYOUTS = {
    "three classes": ("plain", "weights", "groups10"),
    "five classes": ("plain", "groups50"),
    "queries": ("plain", "weights", "groups10", "groups50"),
}

#: Metrics that are another one where they are drawn here: a test holds them to it, and they are left out.
#: Shares of right rows of all classes are accuracy, and the queries have ten rows.
SAME_AS = {
    **dict.fromkeys(
        ("f0.5_micro", "f1_micro", "f2_micro", "precision_micro", "recall_micro", "recall_weighted"),
        "accuracy",
    ),
    "ndcg@10": "ndcg",
    "mean_average_precision@10": "mean_average_precision",
    "mean_reciprocal_rank@10": "mean_reciprocal_rank",
}

#: Metrics that are shown and never judged: nothing can be wrong about them.
VALUES_ONLY = ("max_error",)

TWO, THREE, FIVE = "two classes", "three classes", "five classes"
NUMBERS, POSITIVES, QUANTILES = "numbers", "positive numbers", "quantiles"
QUERIES, MISCALIBRATED = "queries", "miscalibrated"
WORLD_NAMES = (TWO, THREE, FIVE, NUMBERS, POSITIVES, QUANTILES, QUERIES, MISCALIBRATED)

_ANY_CLASSES = (
    "accuracy",
    "balanced_accuracy",
    "brier_score",
    "cohen_kappa",
    "cohen_kappa_linear",
    "cohen_kappa_quadratic",
    "log_loss",
    "matthews_corrcoef",
)
_MANY_CLASSES = (
    *_ANY_CLASSES,
    *(f"{stem}_{average}" for stem in ("f0.5", "f1", "f2", "precision") for average in ("macro", "weighted")),
    "average_precision_macro",
    "average_precision_micro",
    "average_precision_weighted",
    "recall_macro",
    "roc_auc_ovo",
    "roc_auc_ovr",
    "roc_auc_ovr_weighted",
    "top_k_accuracy@2",
)

#: What is measured in each kind of population. A test holds this table to the catalogue.
METRICS: dict[str, tuple[str, ...]] = {
    TWO: (
        *_ANY_CLASSES,
        "average_precision",
        "f0.5",
        "f1",
        "f2",
        "gini",
        "ks_statistic",
        "negative_predictive_value",
        "precision",
        "recall",
        "roc_auc",
        "specificity",
    ),
    THREE: _MANY_CLASSES,
    # Five classes take longest; what differs by a constant or an average only is left to three.
    FIVE: tuple(
        name
        for name in _MANY_CLASSES
        if not name.startswith(("f0.5", "f2")) and name not in ("cohen_kappa_linear", "precision_weighted")
    ),
    NUMBERS: (
        "explained_variance",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_pinball_loss@0.5",
        "mean_squared_error",
        "pearson",
        "r2",
        "root_mean_squared_error",
        "spearman",
    ),
    POSITIVES: (
        "mean_gamma_deviance",
        "mean_poisson_deviance",
        "mean_squared_log_error",
        "mean_tweedie_deviance@1.5",
        "root_mean_squared_log_error",
    ),
    QUANTILES: ("quantile_coverage_error@0.9",),
    MISCALIBRATED: (
        "calibration_intercept_error",
        "calibration_slope_error",
        "expected_calibration_error@15",
    ),
    QUERIES: ("mean_average_precision", "mean_reciprocal_rank", "ndcg"),
}

#: All metrics that have a population.
SIMULATED = frozenset(itertools.chain.from_iterable(METRICS.values()))


@cache
def metric_of(name: str) -> Metric:
    """Return the one object of each metric, so that its true values are worked out once."""
    return resolve(name)


@dataclass(frozen=True)
class Place:
    """A population and a way to draw rows from it; all its metrics are measured on the same rows."""

    world: str
    population: Population
    layout: Layout

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that are measured here."""
        return tuple(name for name in METRICS[self.world] if name in names())

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of questions that are asked here."""
        if self.layout.n == 200 and self.layout.name in ("plain", "groups50"):
            return ("equal", "margin", "share", "floor")
        return ("equal", "margin")

    @property
    def label(self) -> str:
        """Words that tell this place from every other."""
        return f"{self.world}, {self.layout.n} rows, {self.layout.name}, {described(self.population)}"


def described(population: Population) -> str:
    """Return the population's settings in words."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in asdict(population).items())


def population(world: str, rarity: int, correlation: float, quality: int) -> Population:
    """Return a population by the levels of its factors; ``rarity`` is that of the tail for numbers."""
    if world in (NUMBERS, POSITIVES):
        kind = Numbers if world == NUMBERS else Positives
        return kind.with_gap(TAILS[rarity], correlation, EXPLAINED[quality])
    if world == QUANTILES:
        return Quantiles.with_gap((0.0, 0.03, 0.1)[rarity], correlation, (0.02, 0.05, 0.1)[quality])
    if world == MISCALIBRATED:
        return Miscalibrated.with_gap(PREVALENCES[rarity], correlation, *OFF[quality])
    setting = PREVALENCES[rarity], correlation, QUALITIES[quality]
    if world == QUERIES:
        return Queries.with_gap(*setting)
    if world == TWO:
        return TwoClasses.with_gap(*setting)
    return ManyClasses.with_gap({THREE: 3, FIVE: 5}[world], *setting)


def places(*, fraction: bool = True) -> Iterator[Place]:
    """Return every place of the grid.

    Prevalence, correlation and quality have a Latin square for each size of plain samples: every pair of
    their levels, a third of the combinations, another third from one size to the next. The other layouts have
    a diagonal of the square: every level once. 10,000 rows are drawn plainly and in groups only, and many
    classes in few layouts.
    """
    for (turn, world), (size, n) in itertools.product(enumerate(WORLD_NAMES), enumerate(SIZES)):
        for other, name in enumerate(("plain", *OTHER_LAYOUTS)):
            if fraction and n > 1_000 and name not in ("plain", "groups10", "groups50"):
                continue
            if world == QUERIES and n > 1_000:
                continue
            if fraction and name not in FEWER_LAYOUTS.get(world, NAMES):
                continue
            for rarity, (row, correlation), quality in itertools.product(
                range(3), enumerate(CORRELATIONS), range(3)
            ):
                square = (rarity + row + quality + size + other + turn) % 3 == 0
                diagonal = name == "plain" or (rarity - row + size + other) % 3 == 0
                if not fraction or (square and diagonal):
                    yield Place(world, population(world, rarity, correlation, quality), Layout(name, n))
