"""What the fixtures give to a test: the assertions, the models and the data of its gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

from ..errors import ModelGateError
from ..report.escape import plain
from ..results import GateRecord
from ..spec import DriftAsked, DriftMethod, GateSpec, Role
from .collected import GateItem
from .session import MARK, gate_key

if TYPE_CHECKING:
    import pandas as pd

    from ..gate.role_model import RoleModel


class ModelGate:
    """The gate of one test. Every assertion returns the record of what it found, or fails the test."""

    def __init__(self, gate: GateItem) -> None:
        self._gate = gate

    def __repr__(self) -> str:
        return f"<model_gate {self._gate.name!r}>"

    @property
    def spec(self) -> GateSpec:
        """What the gate asks."""
        return self._gate.spec

    def assert_passes(self) -> GateRecord:
        """Fail unless the whole gate passes."""
        __tracebackhide__ = True
        return self._gate.judge(lambda gate: gate.record())

    def assert_pinned(self) -> GateRecord:
        """Fail unless the dataset is the one that ``model-gate.lock`` pins."""
        __tracebackhide__ = True
        return self._gate.judge(lambda gate: gate.pinned())

    def assert_schema(self) -> GateRecord:
        """Fail unless the pinned dataset keeps its schema."""
        __tracebackhide__ = True
        return self._gate.judge(lambda gate: gate.schema())

    def assert_no_leakage(self) -> GateRecord:
        """Fail if rows of the dataset were seen in training, or one feature tells the target."""
        __tracebackhide__ = True
        return self._gate.judge(lambda gate: gate.leakage())

    def assert_no_drift(
        self,
        reference: str | None = None,
        *,
        columns: Sequence[str] | str | None = None,
        ignore: Sequence[str] | str | None = None,
        threshold: float | Mapping[str, float] | None = None,
        method: DriftMethod | Mapping[str, DriftMethod] | None = None,
        blocks: str | None = None,
        overall: bool | None = None,
    ) -> GateRecord:
        """Fail unless the dataset is as a reference, column by column.

        What is not given is the gate's own ``drift``, or its default.

        Parameters
        ----------
        reference : str, optional
            Dataset source.
        columns, ignore : sequence of str, optional
            What is compared, and what is not.
        threshold : float or mapping, optional
            Effect that is still no drift, for all columns or by column.
        method : str or mapping, optional
            ``"auc"``, ``"ks"``, ``"wasserstein"``, ``"tv"``, ``"cramer_v"``, ``"js"`` or ``"psi"``.
        blocks : str, optional
            Column of whole blocks, for example weeks.
        overall : bool, optional
            Whether a classifier tries to tell the two apart, too.
        """
        __tracebackhide__ = True
        wanted = DriftAsked(
            reference=reference,
            columns=columns,
            ignore=ignore,
            threshold=threshold,
            method=method,
            blocks=blocks,
            overall=overall,
        )
        return self._gate.judge(lambda gate: gate.no_drift(wanted))

    def assert_no_regression(
        self, metric: str | None = None, *, max_regression: float | str | None = None
    ) -> GateRecord:
        """Fail unless the candidate is no worse than production, beyond the tolerance.

        Parameters
        ----------
        metric : str, optional
            One metric; all of the gate's by default.
        max_regression : float or str, optional
            Tolerance in place of the gate's: ``0.005``, or ``"1%"`` of production's value.
        """
        __tracebackhide__ = True
        return self._gate.judge(lambda gate: gate.no_regression(metric, max_regression))

    def assert_beats_baseline(self, metric: str | None = None, *, by: float | None = None) -> GateRecord:
        """Fail unless the candidate is better than the baseline.

        Parameters
        ----------
        metric : str, optional
            One metric; all of the gate's by default.
        by : float, optional
            Minimum gain in place of the gate's.
        """
        __tracebackhide__ = True
        return self._gate.judge(lambda gate: gate.beats_baseline(metric, by))

    def assert_at_least(self, metric: str, value: float) -> GateRecord:
        """Fail unless the candidate is as good as a fixed value (at most it, for a loss)."""
        __tracebackhide__ = True
        return self._gate.judge(lambda gate: gate.at_least(metric, value))


def gate_of(request: pytest.FixtureRequest) -> GateItem:
    """Return the gate of the test that uses a fixture."""
    item: pytest.Item = request.node
    if gate_key not in item.stash:
        pytest.fail(
            f"{item.name} uses the fixture {request.fixturename}, but it is not marked as a gate.\n"
            f'  Add @pytest.mark.{MARK}("name of a declared gate"), or '
            f"@pytest.mark.{MARK}(candidate=..., production=..., dataset=..., target=..., metrics=[...]).",
            pytrace=False,
        )
    return item.stash[gate_key]


def model_of(request: pytest.FixtureRequest, role: Role) -> RoleModel:
    """Return a loaded model of the test's gate."""
    gate = gate_of(request)
    try:
        return gate.evaluation.model(role)
    except ModelGateError as error:
        text = plain(f"{gate.name}: {error}", keep_lines=True)
    pytest.fail(text, pytrace=False)


def dataset_of(request: pytest.FixtureRequest) -> pd.DataFrame:
    """Return the dataset of the test's gate."""
    gate = gate_of(request)
    try:
        return gate.evaluation.frame()
    except ModelGateError as error:
        text = plain(f"{gate.name}: {error}", keep_lines=True)
    pytest.fail(text, pytrace=False)


def refuse_foreign_fixture(item: pytest.Item) -> None:
    """Fail where something else took the name of our fixture: its assertions would judge nothing."""
    value = getattr(item, "funcargs", {}).get(MARK)
    if value is not None and not isinstance(value, ModelGate):
        pytest.fail(
            f"unexpected type for the fixture {MARK}: {value!r} must be a ModelGate.\n"
            f"  No other plugin or conftest may define a fixture of that name.",
            pytrace=False,
        )
