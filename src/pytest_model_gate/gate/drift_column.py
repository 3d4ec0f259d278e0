"""One column of two tables, measured and judged."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from ..data.drift.column import MAX_LEVELS, Column
from ..errors import EvaluationError, ModelGateError
from ..policy import drift_verdict
from ..results import DriftColumn, DriftVerdict
from ..spec import Drift, DriftMethod
from ..stats.drift.effect import Effect
from ..stats.drift.levels import (
    Psi,
    Table,
    cramer_v,
    jensen_shannon,
    psi_of,
    stability,
    total_variation,
)
from ..stats.drift.missing import missing_shift
from ..stats.drift.pair import Pair
from ..stats.drift.ranks import area_effect
from ..stats.drift.smirnov import smirnov_effect, smirnov_p, statistic
from ..stats.drift.transport import transport_effect
from ..wording import one_line, shorten
from .canonical import canonical

T = TypeVar("T")
Codes = npt.NDArray[np.intp]

#: The effect beyond which a column has drifted where nobody says another.
THRESHOLDS: Mapping[str, float] = {
    "auc": 0.05,
    "ks": 0.1,
    "wasserstein": 0.1,
    "tv": 0.1,
    "cramer_v": 0.1,
    "js": 0.1,
    "psi": 0.1,
}
OF_NUMBERS = ("auc", "ks", "wasserstein", "js", "psi")
OF_LEVELS = ("tv", "cramer_v", "js", "psi")
#: Those whose bounds know about whole blocks.
OF_BLOCKS = ("auc", "wasserstein", "tv")

#: Text is a category for these, and its length counts for the others.
AS_LEVELS, _AS_LENGTH = ("tv", "cramer_v"), ("auc", "ks", "wasserstein")

#: So many new or vanished levels are named.
NAMED = 10

_KINDS = {"numbers": "number", "times": "time", "durations": "duration", "text": "text length"}


def per_column(value: T | Mapping[str, T] | None) -> Mapping[str, T]:
    """Return a setting by column; one value is for all (``"*"``), and nothing is for none."""
    if value is None:
        return MappingProxyType({})
    return MappingProxyType(dict(value) if isinstance(value, Mapping) else {"*": value})


@dataclass(frozen=True, kw_only=True, eq=False)
class Asking:
    """How columns are compared.

    Parameters
    ----------
    drift : Drift
        What was asked.
    alpha : float
        One-sided level.
    seed : int
        Of what is drawn.
    reference_blocks, current_blocks : ndarray of int or None
        The block of every row.
    """

    drift: Drift
    alpha: float
    seed: int
    reference_blocks: Codes | None = None
    current_blocks: Codes | None = None

    def method(self, name: str, *, levels: bool) -> DriftMethod:
        """Return how a column is compared."""
        asked = self.drift.method
        if name in asked:
            return asked[name]
        suits = OF_LEVELS if levels else OF_NUMBERS
        found = asked.get("*")
        return found if found is not None and found in suits else "tv" if levels else "auc"

    def threshold(self, name: str, method: str) -> float:
        """Return the effect beyond which a column has drifted."""
        asked = self.drift.threshold
        return asked.get(name, asked.get("*", THRESHOLDS[method]))


def compare_column(
    reference: Column,
    current: Column,
    asking: Asking,
    *,
    part: Literal["feature", "target", "prediction"] = "feature",
) -> DriftColumn:
    """Measure and judge one column; what cannot be compared has the verdict "error"."""
    empty = _shares(reference, current, asking, part)
    try:
        return _compared(reference, current, asking, empty)
    except ModelGateError as error:
        return replace(empty, verdict="error", reason=error.what)


def not_comparable(
    name: str, error: Exception, part: Literal["feature", "target", "prediction"]
) -> DriftColumn:
    """Return the answer for a column that could not be read."""
    reason = error.what if isinstance(error, ModelGateError) else one_line(error)
    return DriftColumn(column=name, part=part, verdict="error", reason=reason)


def is_category(reference: Column, current: Column, asking: Asking) -> bool:
    """Whether the levels of a column are compared, and not its numbers or the length of its text."""
    told = reference if reference.n else current
    if told.holds in ("booleans", "levels"):
        return True
    if told.holds != "text":
        return False
    method = asking.drift.method.get(told.name)
    if method in AS_LEVELS or current.holds == "levels":
        return True
    return method not in _AS_LENGTH and told.is_category


def _shares(
    reference: Column, current: Column, asking: Asking, part: Literal["feature", "target", "prediction"]
) -> DriftColumn:
    """Return what the missing values say; the verdict is about them alone."""
    found = missing_shift(reference.missing, reference.rows, current.missing, current.rows, asking.alpha)
    low, high, limit = canonical(found.low, 1.0), canonical(found.high, 1.0), asking.drift.missing_threshold
    verdict: DriftVerdict = drift_verdict(max(0.0, low, -high), max(high, -low), limit)
    if asking.reference_blocks is not None and verdict != "pass":
        # These bounds are those of single rows: with whole blocks they may be too narrow to accuse.
        verdict = "inconclusive"
    return DriftColumn(
        column=reference.name,
        part=part,
        reference_rows=reference.n,
        current_rows=current.n,
        reference_missing=reference.missing / reference.rows,
        current_missing=current.missing / current.rows,
        missing_low=low,
        missing_high=high,
        verdict=verdict,
        reason={
            "drifted": f"the share of missing values changed by more than {limit:g}",
            "pass": "no drift beyond the threshold",
            "inconclusive": f"the data cannot tell whether missing values changed by more than {limit:g}",
        }[verdict],
    )


def _compared(reference: Column, current: Column, asking: Asking, found: DriftColumn) -> DriftColumn:
    if not reference.n or not current.n:
        if not reference.n and not current.n:
            return replace(found, reason="no row of either has a value")
        side = "reference" if not reference.n else "current data"
        if found.verdict == "pass":
            return replace(found, verdict="inconclusive", reason=f"no row of the {side} has a value")
        return replace(found, reason=f"{found.reason}: no row of the {side} has a value")
    _same_type(reference, current)
    if is_category(reference, current, asking):
        effect, psi, found = _levels(reference, current, asking, found)
    else:
        effect, psi, found = _numbers(reference, current, asking, found)
    threshold = asking.threshold(reference.name, effect.method)
    if effect.threshold is not None:
        threshold = max(threshold, canonical(effect.threshold))
    value, low, high = (canonical(item, 1.0) for item in (effect.effect, effect.low, effect.high))
    low, high = min(low, high), max(low, high)
    verdict = drift_verdict(low, high, threshold, caution=effect.caution)
    shares = found
    found = replace(
        found,
        method=effect.method,
        effect=value,
        low=low,
        high=high,
        threshold=threshold,
        p=None if effect.p is None else float(f"{effect.p:.9g}"),
        raw=canonical(effect.raw, 1.0),
        psi=None if psi is None else canonical(psi.value, 1.0),
        psi_null=None if psi is None else canonical(psi.null),
        psi_null_q95=None if psi is None else canonical(psi.null_q95),
        verdict=verdict,
        reason={
            "drifted": f"the effect is beyond {threshold:g}",
            "pass": "no drift beyond the threshold",
            "inconclusive": effect.caution or "the data cannot tell",
        }[verdict],
    )
    # The graver of the two answers: drifted, then not known.
    if shares.verdict == "drifted" and verdict == "drifted":
        return replace(found, reason=f"{found.reason}, and {shares.reason}")
    if shares.verdict == "drifted" or (shares.verdict == "inconclusive" and verdict == "pass"):
        return replace(found, verdict=shares.verdict, reason=shares.reason)
    return found


def _same_type(reference: Column, current: Column) -> None:
    levelled = {"levels", "text"}
    if reference.holds == current.holds or {reference.holds, current.holds} <= levelled:
        return
    raise EvaluationError(
        f"Column '{shorten(reference.name)}' holds {reference.holds} in the reference and {current.holds} in "
        "the current data.",
        "Write both with the same types, or ignore the column.",
    )


def _numbers(
    reference: Column, current: Column, asking: Asking, found: DriftColumn
) -> tuple[Effect, Psi | None, DriftColumn]:
    method = _suited(reference.name, asking, levels=False)
    blocks: tuple[Codes | None, Codes | None] = (None, None)
    if asking.reference_blocks is not None and asking.current_blocks is not None:
        blocks = (
            _dense(asking.reference_blocks[reference.present()]),
            _dense(asking.current_blocks[current.present()]),
        )
    pair = Pair.of(reference.numbers(), current.numbers(), *blocks)
    table = Table(*pair.binned())
    held = (table.p + table.q) > 0
    table = Table(table.p[held], table.q[held])
    effect = _effect_of_numbers(method, pair, table, asking)
    found = replace(found, kind=_KINDS[reference.holds])
    return effect, psi_of(table.merged()), found


def _effect_of_numbers(method: DriftMethod, pair: Pair, table: Table, asking: Asking) -> Effect:
    if method == "auc":
        return area_effect(pair, asking.alpha)
    if method == "ks":
        return smirnov_effect(pair, asking.alpha)
    if method == "wasserstein":
        if not all(math.isfinite(end) for end in (pair.x[0], pair.x[-1], pair.y[0], pair.y[-1])):
            raise EvaluationError(
                "Infinite values have no distance in standard deviations.",
                "Choose another method for the column: auc or ks.",
            )
        p = None if pair.blocks else smirnov_p(pair, statistic(pair))
        return transport_effect(pair, asking.alpha, p, seed=asking.seed)
    of_bins = jensen_shannon if method == "js" else stability
    return of_bins(table, asking.alpha, seed=asking.seed)


def _levels(
    reference: Column, current: Column, asking: Asking, found: DriftColumn
) -> tuple[Effect, Psi | None, DriftColumn]:
    if reference.beyond:
        raise EvaluationError(
            f"Column '{shorten(reference.name)}' has more than {MAX_LEVELS:,} distinct values: no levels.",
            "Compare its length (method auc), or ignore it.",
        )
    method = _suited(reference.name, asking, levels=True)
    labels = sorted({*reference.counts, *current.counts})
    p = np.array([reference.counts[label] for label in labels], dtype=np.int64)
    q = np.array([current.counts[label] for label in labels], dtype=np.int64)
    if current.beyond:
        # What was not counted one by one is taken as one more level, which can only make the effect smaller.
        p, q = np.append(p, 0), np.append(q, current.beyond)
    table = Table(p, q)
    if asking.reference_blocks is not None and asking.current_blocks is not None and not current.beyond:
        code = {label: place for place, label in enumerate(labels)}
        table = Table(
            p,
            q,
            _by_block(reference, asking.reference_blocks, code),
            _by_block(current, asking.current_blocks, code),
        )
    of_levels = {"tv": total_variation, "cramer_v": cramer_v, "js": jensen_shannon, "psi": stability}
    effect = of_levels[method](table, asking.alpha, seed=asking.seed)
    new = Counter({label: count for label, count in current.counts.items() if label not in reference.counts})
    gone = Counter({label: count for label, count in reference.counts.items() if label not in current.counts})
    found = replace(
        found,
        kind="category",
        new_levels=_named(new),
        new_levels_count=len(new) + bool(current.beyond),
        new_levels_rows=sum(new.values()) + current.beyond,
        # Where not all values were counted one by one, nobody knows what is gone.
        vanished_levels=() if current.beyond else _named(gone),
        vanished_levels_count=0 if current.beyond else len(gone),
    )
    return effect, psi_of(table.merged()), found


def _by_block(column: Column, blocks: Codes, code: Mapping[str, int]) -> npt.NDArray[np.int64]:
    rows = _dense(blocks[column.present()])
    levels = np.array([code[label] for label in column.labels()], dtype=np.intp)
    count = int(rows.max()) + 1
    flat = np.bincount(rows * len(code) + levels, minlength=count * len(code))
    return flat.reshape(count, len(code)).astype(np.int64)


def _dense(blocks: Codes) -> Codes:
    return np.unique(blocks, return_inverse=True)[1]


def _suited(name: str, asking: Asking, *, levels: bool) -> DriftMethod:
    method = asking.method(name, levels=levels)
    suits = OF_LEVELS if levels else OF_NUMBERS
    if method not in suits:
        what = "levels" if levels else "numbers"
        raise EvaluationError(
            f"Method {method} does not compare {what}, which column '{shorten(name)}' holds.",
            f"Choose one of {', '.join(suits)}.",
        )
    if asking.reference_blocks is not None and method not in OF_BLOCKS:
        raise EvaluationError(
            f"Method {method} knows nothing of blocks, and column '{shorten(name)}' is compared by them.",
            f"Choose one of {', '.join(item for item in suits if item in OF_BLOCKS)}.",
        )
    return method


def _named(levels: Counter[str]) -> tuple[str, ...]:
    ordered = sorted(levels, key=lambda label: (-levels[label], label))
    return tuple(shorten(label) for label in ordered[:NAMED])
