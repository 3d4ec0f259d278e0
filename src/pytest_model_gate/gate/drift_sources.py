"""Compare two dataset sources, or two frames, outside of any gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..data.columns import describe
from ..data.sources.memory import FrameDataset, arrow_schema, as_columns
from ..errors import ConfigurationError, did_you_mean
from ..hooks import DatasetProtocol
from ..results import DriftRecord
from ..spec import Drift, DriftMethod, SourceContext
from .drift import compare_datasets
from .drift_column import THRESHOLDS, per_column
from .registry import build_registry, open_dataset

if TYPE_CHECKING:
    import pandas as pd


def drift(
    reference: str | pd.DataFrame,
    current: str | pd.DataFrame,
    *,
    columns: Sequence[str] = (),
    ignore: Sequence[str] = (),
    method: DriftMethod | Mapping[str, DriftMethod] | None = None,
    threshold: float | Mapping[str, float] | None = None,
    missing_threshold: float = 0.05,
    overall: bool = True,
    overall_threshold: float = 0.55,
    blocks: str = "",
    target: str = "",
    alpha: float = 0.05,
    seed: int = 0,
    root: str = ".",
    progress: Callable[[str, int, int], None] | None = None,
) -> DriftRecord:
    """Compare two tables, column by column and as a whole.

    Parameters
    ----------
    reference, current : str or DataFrame
        Dataset sources, or frames: what a model knows, and what it meets.
    columns, ignore : sequence of str
        What is compared, and what is not. Empty: all columns that both have.
    method : str or mapping, optional
        ``"auc"``, ``"ks"``, ``"wasserstein"``, ``"tv"``, ``"cramer_v"``, ``"js"`` or ``"psi"``, for all
        columns that it suits or by column.
    threshold : float or mapping, optional
        Effect that is still no drift, for all columns or by column.
    missing_threshold : float
        Change of the share of missing values that is still no drift.
    overall : bool
        Whether a classifier tries to tell the two apart.
    overall_threshold : float
        Area under its curve that is still no drift.
    blocks : str
        Column of whole blocks, for example weeks: rows of one are not independent.
    target : str
        A class, whose numbers are levels.
    alpha : float
        One-sided level of every bound.
    seed : int
        Of what is drawn.
    root : str
        Directory that relative paths start from.
    progress : callable, optional
        ``progress(what, done, of)``.

    Returns
    -------
    DriftRecord
        What was found. Nothing fails: the verdicts are those of the columns.

    Raises
    ------
    ModelGateError
        If a table cannot be read, or nothing can be compared.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> before, after = pd.DataFrame({"a": rng.normal(0, 1, 900)}), pd.DataFrame({"a": rng.normal(1, 1, 900)})
    >>> drift(before, after, overall=False).columns[0].verdict
    'drifted'
    """
    if not 0 < alpha < 0.5:
        raise ConfigurationError(f"alpha must be between 0 and 0.5, got {alpha!r}.", "Write 0.05.")
    asked = Drift(
        reference=reference if isinstance(reference, str) else "reference",
        columns=tuple(columns),
        ignore=tuple(ignore),
        method=per_column(method),
        threshold=per_column(threshold),
        missing_threshold=missing_threshold,
        overall=overall,
        overall_threshold=overall_threshold,
        blocks=blocks,
    )
    unknown = [name for name in asked.method.values() if name not in THRESHOLDS]
    if unknown:
        raise ConfigurationError(
            f"method {unknown[0]!r} is unknown.", did_you_mean(str(unknown[0]), THRESHOLDS)
        )
    wrong = [value for value in asked.threshold.values() if not value >= 0]
    if wrong:
        raise ConfigurationError(f"threshold must be a number >= 0, got {wrong[0]!r}.", "Write 0.05.")
    registry = build_registry()
    context = SourceContext(root=root)

    def opened(table: str | pd.DataFrame, name: str) -> DatasetProtocol:
        if isinstance(table, str):
            return open_dataset(registry, table, context)
        frame = as_columns(table, name)
        # Nobody pins a frame, so nothing is hashed.
        return FrameDataset(name, name, "", frame, describe(arrow_schema(frame, name)))

    return compare_datasets(
        opened(reference, "reference"),
        opened(current, "current"),
        asked,
        alpha=alpha,
        seed=seed,
        target=target,
        levels=(target,) if target else (),
        progress=progress,
    )
