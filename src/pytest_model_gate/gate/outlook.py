"""Whether a gate can pass at all with the rows that are pinned, before anything is opened.

The lock file says how many rows there are. For shares of right rows that alone tells which tolerances are
out of reach; for the others a pilot does, where one was saved. No data, no model and no heavy library.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pluggy

from ..data.lock import lock_path, read_lock
from ..data.spreads import NAME, Spread, read_spreads
from ..errors import ModelGateError
from ..metrics.metric import Metric
from ..spec import NO_MODEL, GateSpec, Tolerance
from ..stats.planning import POWER, margin_without_discordance, rows_needed, rows_without_discordance
from ..stats.prospect import Normal
from ..wording import shorten
from .lines import ALL, tolerance_of
from .names import metrics_of
from .planned import Wish, level, rounded_up

#: Below this, an equal candidate fails in most runs.
HARDLY = 0.5


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A line that an equal candidate does not pass reliably."""

    metric: str
    slice: str
    tolerance: str
    rows: int
    needed: int
    power: float
    certain: bool  # whatever the models are

    def __str__(self) -> str:
        where = "" if self.slice == ALL else f" on {shorten(self.slice)}"
        what = f"{self.metric}{where} within {self.tolerance}"
        if self.certain:
            return f"{what} takes at least {rounded_up(self.needed):,} rows, and {self.rows:,} are pinned"
        return (
            f"{what} takes about {rounded_up(self.needed):,} rows, and {self.rows:,} are pinned: a candidate "
            f"as good as production passes {self.power * 100:.0f} of 100 times ({NAME})"
        )


class Outlook:
    """What one run knows of pinned rows and of pilots; each file is read once."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, int]] = {}
        self._spreads: dict[str, tuple[Spread, ...]] = {}

    def of(self, spec: GateSpec, registry: pluggy.PluginManager) -> str:
        """Return one sentence where a gate can hardly pass with the pinned rows, or an empty string.

        Parameters
        ----------
        spec : GateSpec
            A checked gate.
        registry : pluggy.PluginManager
            Sources and metrics.
        """
        if spec.production == NO_MODEL or spec.on_inconclusive != "fail":
            return ""
        rows = self._pinned_rows(spec)
        if rows is None:
            return ""
        metrics, alpha = metrics_of(spec, registry), level(spec, Wish())
        try:
            spreads = self._saved(spec.root)
        except ModelGateError as error:
            return f"{error.what} {error.remedy}"
        doubts = list(_certain(spec, metrics, rows, alpha))
        sure = {doubt.metric for doubt in doubts}
        doubts += [
            doubt
            for doubt in _from_pilot(spec, metrics, spreads, rows, alpha)
            if doubt.metric not in sure or doubt.slice != ALL
        ]
        return _sentence(spec.name, doubts) if doubts else ""

    def _saved(self, root: str) -> tuple[Spread, ...]:
        if root not in self._spreads:
            self._spreads[root] = read_spreads(Path(root) / NAME)
        return self._spreads[root]

    def _pinned_rows(self, spec: GateSpec) -> int | None:
        """Return how many rows of the gate's dataset are pinned; ``None`` where that cannot be told."""
        if spec.root not in self._rows:
            try:
                lock = read_lock(lock_path(spec.root))
            except ModelGateError:
                return None  # said when the gate is judged, as an error
            self._rows[spec.root] = {pin.source: pin.rows for pin in lock.datasets}
        source = PurePosixPath(Path(os.path.normpath(spec.dataset)).as_posix())
        root = PurePosixPath(Path(spec.root).as_posix())
        inside = source.relative_to(root) if source.is_relative_to(root) else source
        pinned = self._rows[spec.root]
        return next((pinned[name] for name in (spec.dataset, str(inside)) if name in pinned), None)


def _sentence(gate: str, doubts: Sequence[_Doubt]) -> str:
    worst = min(doubts, key=lambda doubt: (doubt.power, -doubt.needed, doubt.slice != ALL))
    more = len(doubts) - 1
    others = f"; {more} more line{'s are' if more > 1 else ' is'} like that" if more else ""
    can = "can hardly pass unless the candidate is better" if worst.power < HARDLY else "may well not pass"
    return f"gate {gate} {can}: {worst}{others}. See model-gate plan."


def _certain(spec: GateSpec, metrics: dict[str, Metric], rows: int, alpha: float) -> Iterator[_Doubt]:
    """Yield the shares of right rows whose tolerance the score interval cannot reach with so few rows."""
    if spec.sample_weight or spec.groups or spec.strata or spec.query:
        return  # judged by influence values, which know no such limit
    for name, metric in metrics.items():
        if metric.family != "proportion":
            continue
        tolerance = tolerance_of(metric, spec.max_regression)
        # A share of production's value is at most that share of the best value.
        most = tolerance.value * (max(map(abs, metric.bounds)) if tolerance.relative else 1.0)
        needed = rows_without_discordance(most, alpha)
        if needed is not None and rows < needed:
            yield _Doubt(name, ALL, str(tolerance), rows, needed, 0.0, certain=True)


def _from_pilot(
    spec: GateSpec, metrics: dict[str, Metric], spreads: tuple[Spread, ...], rows: int, alpha: float
) -> Iterator[_Doubt]:
    """Yield the lines that an equal candidate passes less often than planned, were gains spread as then."""
    for spread in spreads:
        tolerance = _tolerance(spec, metrics, spread)
        if tolerance is None:
            continue
        here = max(2, round(rows * spread.rows / spread.all_rows))
        margin, error = tolerance.absolute(spread.value), spread.spread / here**0.5
        power = Normal(error).power(margin, alpha)
        needed = rows_needed(here, error, margin, alpha) if error else None
        if metrics[spread.metric].family == "proportion" and margin <= margin_without_discordance(
            here, alpha
        ):
            power = 0.0
            needed = max(needed or 0, rows_without_discordance(margin, alpha) or 0) or None
        if needed is not None and power < POWER:
            yield _Doubt(spread.metric, spread.slice, str(tolerance), here, needed, power, certain=False)


def _tolerance(spec: GateSpec, metrics: dict[str, Metric], spread: Spread) -> Tolerance | None:
    """Return the tolerance of a line today; ``None`` where the gate does not ask about it any more."""
    if spread.gate != spec.name or spread.metric not in metrics:
        return None
    metric = metrics[spread.metric]
    if spread.slice == ALL:
        return tolerance_of(metric, spec.max_regression)
    columns = tuple(part.partition("=")[0] for part in spread.slice.split(", "))
    for item in spec.slices:
        judged = not item.metrics or metric.name in item.metrics
        if item.columns == columns and judged and (item.on_inconclusive or "fail") == "fail":
            return tolerance_of(metric, item.max_regression, spec.max_regression)
    return None
