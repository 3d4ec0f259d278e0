"""What the grid found, metric by metric: the worst place, all together, and what exceeds its allowance."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from allowances import errors, exceeds, monte_carlo_error
from full_grid import Result
from trials import Tally


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A one-sided error rate at the worst place, with its Monte Carlo error."""

    rate: float
    error: float
    place: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One metric on one number of rows, drawn in one way: over all populations and kinds of questions.

    Parameters
    ----------
    metric, layout : str
        What was measured, and how the rows were drawn.
    n : int
        Rows.
    places : int
        Populations times kinds of questions.
    holdouts : int
        Simulated ones.
    wrong_pass, wrong_accusation : Rate
        At the worst place.
    pass_mean, accusation_mean : float
        Over all places.
    coverage : float or None
        Of the 90 % intervals that could decide; ``None`` where none could.
    withheld : float
        Share of the holdouts on which a guard, or a metric that does not exist, kept from deciding.
    exceeding : tuple of str
        Places that are certainly wrong more often than is allowed.
    """

    metric: str
    layout: str
    n: int
    places: int
    holdouts: int
    wrong_pass: Rate
    wrong_accusation: Rate
    pass_mean: float
    accusation_mean: float
    coverage: float | None
    withheld: float
    exceeding: tuple[str, ...]

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Row:
        """Read what :func:`as_dict` wrote."""
        rates = {name: Rate(**found[name]) for name in ("wrong_pass", "wrong_accusation")}
        return cls(**{**found, **rates, "exceeding": tuple(found["exceeding"])})

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def summarised(results: Sequence[Result]) -> list[Row]:
    """Return one row for each metric, number of rows and layout."""
    tests = 2 * len(results)
    ordered = sorted(results, key=_key)
    return [_row(key, list(group), tests) for key, group in itertools.groupby(ordered, key=_key)]


def exceeding(results: Iterable[Result], tests: int) -> list[tuple[Result, str]]:
    """Return what is certainly wrong more often than is allowed, the worst first."""
    found = [
        (result, kind)
        for result in results
        for kind, wrong in errors(result.tally).items()
        if exceeds(wrong, result.tally.repetitions, result.allowed, tests)
    ]
    return sorted(found, key=lambda pair: -errors(pair[0].tally)[pair[1]] / pair[0].tally.repetitions)


def where(result: Result) -> str:
    """Return the place in words."""
    setting = ", ".join(
        f"{name.replace('_', ' ')} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in result.setting.items()
    )
    return f"{result.kind} of {result.world} ({setting})"


def _key(result: Result) -> tuple[str, int, str]:
    return result.metric, result.n, result.layout


def _row(key: tuple[str, int, str], results: list[Result], tests: int) -> Row:
    total = Tally()
    for result in results:
        total += result.tally
    return Row(
        metric=key[0],
        n=key[1],
        layout=key[2],
        places=len(results),
        holdouts=total.repetitions,
        wrong_pass=_worst(results, "pass"),
        wrong_accusation=_worst(results, "accusation"),
        pass_mean=_mean(results, "pass"),
        accusation_mean=_mean(results, "accusation"),
        coverage=round(total.coverage, 4) if total.judged else None,
        withheld=round(1 - total.judged / total.repetitions, 4),
        exceeding=tuple(
            f"{where(result)}: {kind} {errors(result.tally)[kind] / result.tally.repetitions:.1%}"
            for result, kind in exceeding(results, tests)
        ),
    )


def _worst(results: Iterable[Result], kind: str) -> Rate:
    def rate(result: Result) -> float:
        return errors(result.tally)[kind] / result.tally.repetitions

    worst = max(results, key=rate)
    found = rate(worst)
    error = monte_carlo_error(found, worst.tally.repetitions)
    return Rate(rate=round(found, 4), error=round(error, 4), place=where(worst))


def _mean(results: Sequence[Result], kind: str) -> float:
    """Return the mean over places, each counted once however often it was looked at."""
    rates = [errors(result.tally)[kind] / result.tally.repetitions for result in results]
    return round(sum(rates) / len(rates), 4)
