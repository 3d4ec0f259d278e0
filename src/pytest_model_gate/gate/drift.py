"""Compare two datasets, column by column and as a whole: what is found goes into one record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from ..data.columns import choose
from ..data.drift.column import Column
from ..data.drift.matrix import matrix, rows_of
from ..data.drift.reading import RowHashes, groups_of, read
from ..data.table import missing_finding
from ..errors import EvaluationError, InvalidError, ModelGateError
from ..hooks import DatasetProtocol, version_of
from ..models.tell_apart import scores
from ..policy import drift_verdict
from ..redact import redact
from ..results import DriftColumn, DriftOverall, DriftRecord
from ..spec import Drift
from ..stats.drift.false_discovery import benjamini_hochberg
from ..stats.drift.two_sample import told_apart
from ..wording import one_line
from .canonical import canonical
from .drift_column import AS_LEVELS, Asking, Codes, compare_column, is_category, not_comparable

#: Rows of each side that the classifier gets at most.
CLASSIFIED = 10_000
#: Fewer than these tell nothing about a classifier.
FEWEST = 60

_WORKERS = 2

Part = Literal["feature", "target", "prediction"]
Progress = Callable[[str, int, int], None]


def compare_datasets(
    reference: DatasetProtocol,
    current: DatasetProtocol,
    drift: Drift,
    *,
    alpha: float = 0.05,
    seed: int = 0,
    target: str = "",
    levels: Collection[str] = (),
    left_out: Mapping[str, str] | None = None,
    predictions: Sequence[tuple[Column, Column]] = (),
    progress: Progress | None = None,
) -> DriftRecord:
    """Compare two datasets.

    Parameters
    ----------
    reference, current : DatasetProtocol
        What the model knows, and what it is judged on.
    drift : Drift
        What is compared, and how.
    alpha : float
        One-sided level of every bound.
    seed : int
        Of what is drawn.
    target : str
        The column with the truth. Empty: none is known.
    levels : collection of str
        Columns whose numbers are levels, as those of a class are.
    left_out : mapping, optional
        Columns that are not compared unless they are named, and why.
    predictions : sequence of (Column, Column)
        What a model says about both.
    progress : callable, optional
        ``progress(what, done, of)``.

    Raises
    ------
    ModelGateError
        If a dataset has no rows, a named column is not there, or nothing is left to compare.
    """
    for dataset, side in ((reference, "reference"), (current, "current data")):
        if not dataset.rows:
            raise EvaluationError(
                f"The {side} ({redact(dataset.source)}) has no rows: nothing can be compared.",
                "Check how it was made.",
            )
    names, skipped = _chosen(reference, current, drift, left_out or {})
    asking = _asking(reference, current, drift, alpha, seed)
    coded = {*levels, *(name for name, method in drift.method.items() if method in AS_LEVELS)}
    hashes = RowHashes(reference.rows), RowHashes(current.rows)
    wants_overall = drift.overall and not drift.blocks
    found: dict[str, DriftColumn] = {}
    levelled: dict[str, bool] = {}
    rows = max(reference.rows, current.rows)
    with ThreadPoolExecutor(_WORKERS) as pool:
        for group in groups_of(names, rows):
            sides = [
                read(
                    dataset,
                    group,
                    levels=coded,
                    keep_rows=bool(drift.blocks),
                    hashes=kept if wants_overall else None,
                )
                for dataset, kept in zip((reference, current), hashes, strict=True)
            ]
            errors = sides[0][1] | sides[1][1]
            for name in set(sides[0][1]) & set(sides[1][1]) - {*drift.columns, *drift.method}:
                # On both sides of a kind that nothing here compares: no drift hides in the difference.
                skipped[name] = _reason(errors[name])
            pairs = {name: (sides[0][0][name], sides[1][0][name]) for name in group if name not in errors}
            for name, pair in pairs.items():
                if name != target and pair[0].holds not in ("times", "nothing"):
                    levelled[name] = is_category(*pair, asking)
            parts: dict[str, Part] = {name: "target" if name == target else "feature" for name in group}
            compare = partial(compare_column, asking=asking)
            judged = [pool.submit(compare, *pair, part=parts[name]) for name, pair in pairs.items()]
            found |= {name: future.result() for name, future in zip(pairs, judged, strict=True)}
            found |= {name: not_comparable(name, error, parts[name]) for name, error in errors.items()}
            if progress is not None:
                progress("comparing columns", len(found), len(names))
    columns = [found[name] for name in names if name not in skipped]
    columns += [compare_column(*pair, asking, part="prediction") for pair in predictions]
    levelled = {name: is_level for name, is_level in levelled.items() if found[name].verdict != "error"}
    overall = None
    if wants_overall and levelled:
        overall = _overall(reference, current, drift, alpha, seed, levelled, hashes)
    return DriftRecord(
        source=redact(reference.source),
        resolved=redact(reference.resolved),
        digest=reference.digest,
        version=version_of(reference),
        reference_rows=reference.rows,
        current_rows=current.rows,
        columns=_adjusted(columns),
        overall=overall,
        not_compared=tuple((name, skipped[name]) for name in sorted(skipped)),
        alpha=alpha,
        seed=seed,
        blocks=drift.blocks,
        on_drift=drift.on_drift,
        on_new_levels=drift.on_new_levels or drift.on_drift,
        on_inconclusive=drift.on_inconclusive or drift.on_drift,
    )


def _reason(error: Exception) -> str:
    return error.what.rstrip(".") if isinstance(error, ModelGateError) else one_line(error)


def _chosen(
    reference: DatasetProtocol, current: DatasetProtocol, drift: Drift, left_out: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the columns that are compared, and why others are not."""
    here, there = [name for name, _ in current.columns], [name for name, _ in reference.columns]
    for named in (drift.columns, drift.method, drift.threshold):
        asked = [name for name in named if name != "*"]
        # The message names the nearest column, and what there is.
        said = [name for name in asked if not name.startswith("prediction") or name in here]
        choose(current.columns, said, redact(current.source))
        choose(reference.columns, said, redact(reference.source))
    unknown = [name for name in drift.ignore if name not in here and name not in there]
    if unknown:
        choose(current.columns, unknown, redact(current.source))
    skipped: dict[str, str] = {}
    names = []
    for name in here:
        if drift.columns and name not in drift.columns:
            continue
        if name in drift.ignore:
            skipped[name] = "ignored"
        elif name == drift.blocks:
            skipped[name] = "names the blocks"
        elif name in left_out and name not in drift.columns:
            skipped[name] = left_out[name]
        elif name not in there:
            skipped[name] = "not in the reference"
        else:
            names.append(name)
    if not drift.columns:
        skipped |= {
            name: "only in the reference" for name in there if name not in here and name not in drift.ignore
        }
    if not names:
        raise EvaluationError(
            f"{redact(current.source)} and {redact(reference.source)} have no column that could be compared.",
            "Name the data that the model was trained on as the reference.",
        )
    return names, skipped


def _asking(
    reference: DatasetProtocol, current: DatasetProtocol, drift: Drift, alpha: float, seed: int
) -> Asking:
    if not drift.blocks:
        return Asking(drift=drift, alpha=alpha, seed=seed)
    return Asking(
        drift=drift,
        alpha=alpha,
        seed=seed,
        reference_blocks=_blocks(reference, drift.blocks),
        current_blocks=_blocks(current, drift.blocks),
    )


def _blocks(dataset: DatasetProtocol, name: str) -> Codes:
    """Return the block of every row, in the order of the blocks' names and not of the rows."""
    values = pd.concat([batch[name] for batch in dataset.batches([name])], ignore_index=True)
    finding = missing_finding(values, "blocks")
    if finding is not None:
        raise InvalidError(f"{redact(dataset.source)}: {finding.problem}", finding.remedy)
    codes, distinct = pd.factorize(values)
    order = np.argsort(np.array([str(value) for value in distinct]), kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[codes]


def _overall(
    reference: DatasetProtocol,
    current: DatasetProtocol,
    drift: Drift,
    alpha: float,
    seed: int,
    levelled: Mapping[str, bool],
    hashes: tuple[RowHashes, RowHashes],
) -> DriftOverall:
    """Let a classifier tell rows of the two apart by all features; times would give every row away."""
    samples = [kept.sample(CLASSIFIED, seed) for kept in hashes]
    names = list(levelled)
    frames = [
        rows_of(dataset, names, rows) for dataset, rows in zip((reference, current), samples, strict=True)
    ]
    table = matrix(frames[0], frames[1], dict(levelled))
    m, n = map(len, samples)
    is_current = np.arange(m + n) >= m
    limit = drift.overall_threshold
    if min(m, n) < FEWEST:
        side = "reference" if m < n else "current data"
        caution = (
            f"{min(m, n):,} rows of the {side} are too few for a classifier, at least {FEWEST} are needed"
        )
        found = None
    else:
        caution = ""
        found = told_apart(scores(table.values, is_current, table.categorical, seed=seed), alpha)
    area, low, high, p = (
        (0.5, 0.0, 1.0, 1.0) if found is None else (found.area, found.low, found.high, found.p)
    )
    area, low, high = canonical(area), canonical(low, 1.0), canonical(high, 1.0)
    verdict = drift_verdict(min(low, area), max(high, area), limit, caution=caution)
    return DriftOverall(
        area=area,
        low=min(low, area),
        high=max(high, area),
        threshold=limit,
        p=float(f"{p:.9g}"),
        columns=len(names),
        reference_rows=m,
        current_rows=n,
        verdict=verdict,
        reason={
            "drifted": f"a classifier tells the two apart: the area is beyond {limit:g}",
            "pass": "this classifier does not tell the two apart beyond the threshold",
            "inconclusive": caution or "the data cannot tell",
        }[verdict],
    )


def _adjusted(columns: Sequence[DriftColumn]) -> tuple[DriftColumn, ...]:
    """Adjust the p-values for each other."""
    known = [column.p for column in columns if column.p is not None]
    adjusted: Iterator[float] = iter(benjamini_hochberg(known))
    return tuple(
        column if column.p is None else replace(column, p_adjusted=float(f"{next(adjusted):.9g}"))
        for column in columns
    )
