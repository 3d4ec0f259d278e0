"""The public ``find_slices``: a frame and two models' predictions in, the worst segments out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ConfigurationError, InvalidError
from ..metrics.metric import Metric
from ..results import SliceSearch
from ..spec import FindSlices, GateSpec, Search, Tolerance
from .arrays import validated
from .compared import understood
from .lines import Ask
from .measure import Measured
from .rows import Judged
from .search import search
from .search_keys import check_limits
from .together import Together

_NAME = "find_slices"


def find_slices(
    frame: pd.DataFrame,
    y_true: Any,
    candidate: Any,
    production: Any,
    *,
    metric: str | Metric,
    max_regression: float | str | Tolerance = 0.0,
    columns: Sequence[str] = (),
    depth: int = 2,
    min_rows: int = 200,
    top: int = 5,
    method: Search = "split",
    alpha: float = 0.05,
    sample_weight: Any = None,
    groups: Any = None,
    strata: Any = None,
    classes: Sequence[Any] | None = None,
    pos_label: Any = 1,
    seed: int = 0,
) -> SliceSearch:
    """Search for the segments in which the candidate is worst, and test them honestly.

    Parameters
    ----------
    frame : DataFrame, n rows
        What segments are made of: features, or anything else that is known of each row.
    y_true, candidate, production, metric, max_regression, alpha
        As for :func:`~pytest_model_gate.compare`; the metric needs an influence function.
    columns : sequence of str
        Which columns of the frame. Empty: all that are suitable, up to 50.
    depth, min_rows, top
        So many conditions make a segment at most, so many rows it needs, so many of the worst are tested.
    method : {"split", "max-t"}
        Found on two thirds of the rows and tested on the others, or all segments tested on all rows at once.
    sample_weight, groups, strata, classes, pos_label
        As for :func:`~pytest_model_gate.compare`.
    seed : int
        Of the division, or of the draws.

    Returns
    -------
    SliceSearch
        ``found`` has the worst segments, the proven ones first.

    Raises
    ------
    InvalidError
        If the arrays or the frame break their contract.
    EvaluationError
        If there is nothing to search, or the metric cannot be searched in.
    ConfigurationError
        If the question makes no sense.
    """
    asked, tolerance = understood(metric, max_regression, alpha)
    if method not in ("split", "max-t"):
        raise ConfigurationError(
            f"method must be 'split' or 'max-t', got {method!r}.", "Leave it out for 'split'."
        )
    wish = FindSlices(columns=tuple(columns), depth=depth, min_rows=min_rows, top=top, method=method)
    check_limits(wish)
    about = {"sample_weight": sample_weight, "groups": groups, "strata": strata}
    sample, first, second = validated(
        y_true, candidate, production, metric=asked, classes=classes, pos_label=pos_label, **about
    )
    table = _table_of(frame, len(y_true), sample_weight)
    spec = GateSpec(
        name=_NAME,
        candidate="",
        production="",
        dataset="",
        target="",
        metrics=(asked.name,),
        max_regression=MappingProxyType({asked.name: tolerance}),
        find_slices=wish,
        alpha=alpha,
        seed=seed,
    )
    judged = Judged(sample=sample, predicted={"candidate": first, "production": second})
    metrics = {asked.name: asked}
    found = search(spec, table, judged, metrics)
    told = Together(spec=spec, metrics=metrics, judged=judged, measure=_nothing, search=found)
    result = told.judge((), alpha).search
    assert result is not None, "unreachable: there was a search"
    return result


def _nothing(ask: Ask) -> Measured:
    raise AssertionError(f"unreachable: nothing but segments is asked, and not {ask}")


def _table_of(frame: Any, n: int, sample_weight: Any) -> _Table:
    if not isinstance(frame, pd.DataFrame):
        raise InvalidError(
            f"find_slices needs a pandas DataFrame, got {type(frame).__name__}.",
            "Pass pandas.DataFrame(columns by name).",
        )
    if len(frame) != n:
        raise InvalidError(
            f"frame has {len(frame):,} rows, and y_true has {n:,}.", "Rows belong together by position."
        )
    names = list(frame.columns)
    if len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
        raise InvalidError("The columns of frame need different names that are text.", "Rename them.")
    # Rows of weight 0 do not count.
    kept = frame if sample_weight is None else frame[np.asarray(sample_weight) > 0]
    kept = kept.reset_index(drop=True)
    return _Table(kept, tuple((name, str(kept[name].dtype)) for name in names), len(kept))


@dataclass
class _Table:
    """The frame as a dataset that is read by columns."""

    frame: pd.DataFrame
    columns: tuple[tuple[str, str], ...]
    rows: int
    source: str = _NAME
    resolved: str = _NAME
    digest: str = ""

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        yield self.frame if columns is None else self.frame[list(columns)]
