"""A loaded model in the hands of a test: asked with whole frames, as scikit-learn's models are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EvaluationError
from ..hooks import ModelProtocol
from ..models.scoring import score
from ..spec import Role, Task

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True)
class RoleModel:
    """One model of a gate.

    Parameters
    ----------
    role : str
        ``"candidate"``, ``"production"`` or ``"baseline"``.
    source, resolved, digest, kind : str
        As written, the exact version, ``"sha256:<hex>"``, and what loaded it.
    columns : tuple of str or None
        The columns that it reads; ``None`` where it doesn't say.
    classes : tuple or None
        Its labels, in the order of the columns of :meth:`predict_proba`.
    """

    role: Role
    source: str
    resolved: str
    digest: str
    kind: str
    columns: tuple[str, ...] | None
    classes: tuple[Any, ...] | None
    _model: ModelProtocol = field(repr=False)
    _task: Task = field(repr=False)

    @classmethod
    def of(cls, role: Role, model: ModelProtocol, task: Task) -> RoleModel:
        """Return a loaded model as one of a role."""
        return cls(
            role=role,
            source=model.source,
            resolved=model.resolved,
            digest=model.digest,
            kind=model.kind,
            columns=model.columns,
            classes=model.classes,
            _model=model,
            _task=task,
        )

    def predict(self, frame: pd.DataFrame) -> Any:
        """Return the labels of a classifier, or the values of a regressor, shape (rows,).

        Parameters
        ----------
        frame : DataFrame
            With at least the model's columns, in any order.

        Raises
        ------
        EvaluationError
            If a column is missing, the model raises, or it does not give that.
        """
        want = "value" if self._task == "regression" else "label"
        said = score(self._model, [frame], [want], role=self.role)
        found = said.value if want == "value" else said.labels
        if found is None:
            raise self._cannot(f"{want}s", "Use predict_proba." if want == "label" else "")
        return found

    def predict_proba(self, frame: pd.DataFrame) -> Any:
        """Return the probability of every class, shape (rows, classes).

        Parameters
        ----------
        frame : DataFrame
            With at least the model's columns, in any order.

        Raises
        ------
        EvaluationError
            If a column is missing, the model raises, or it has no probabilities.
        """
        probability = score(self._model, [frame], ["probability"], role=self.role).probability
        if probability is None:
            raise self._cannot("probabilities", "Use predict.")
        if probability.ndim == 1:
            return np.column_stack([1 - probability, probability])
        return probability

    def _cannot(self, what: str, remedy: str) -> EvaluationError:
        return EvaluationError(f"The {self.role} ({self.resolved}) gives no {what}.", remedy)
