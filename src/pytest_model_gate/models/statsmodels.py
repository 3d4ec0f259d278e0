"""Results of statsmodels, as pickled: which columns they need, and how rows are given to them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EvaluationError, InvalidError
from ..wording import plural
from .columns import plain
from .described import Described
from .identity import Identity
from .untyped import as_wanted

if TYPE_CHECKING:
    import pandas as pd

_CONSTANT = "const"


@dataclass(frozen=True, eq=False, kw_only=True)
class ResultsModel(Described):
    """Results of statsmodels: a formula is applied to the rows, a constant is added where one was."""

    classes: tuple[Any, ...] | None
    results: Any
    #: The columns of the design, with the constant; ``None`` where a formula makes them.
    design: tuple[str, ...] | None

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return the predictions for these rows; ``None`` where they are not what is wanted."""
        # With its own numbering statsmodels puts back the rows that its formula left out, as NaN.
        rows: Any = plain(frame).reset_index(drop=True)
        if self.design is not None:
            if _CONSTANT in self.design and _CONSTANT not in rows.columns:
                rows = rows.assign(**{_CONSTANT: 1.0})
            rows = rows[list(self.design)].to_numpy(dtype=np.float64)
        said = np.asarray(self.results.predict(rows))
        if len(said) != len(frame):
            raise InvalidError(
                f"'{self.source}' gave {plural(len(said), 'prediction')} for {plural(len(frame), 'row')}: "
                "statsmodels leaves rows with missing values out.",
                "Fill them in the dataset, or judge a dataset without them.",
            )
        return as_wanted(said, want)


def is_results(found: Any) -> bool:
    """Whether an object is what a model of statsmodels returned when it was fitted."""
    return type(found).__module__.partition(".")[0] == "statsmodels" and hasattr(found, "params")


def of_results(identity: Identity, found: Any, *, kind: str, said: str = "") -> ResultsModel:
    """Return the model that results are.

    Without a formula statsmodels keeps the names of the columns that it was given, with ``const`` where
    ``add_constant`` was called: that column need not be in the dataset.
    """
    model = found.model
    data = getattr(model, "data", None)
    spec = getattr(data, "model_spec", None) or getattr(data, "design_info", None)
    design: tuple[str, ...] | None = None
    if spec is None:
        design = tuple(str(name) for name in getattr(model, "exog_names", None) or ())
        if not design:
            raise EvaluationError(
                f"'{identity.source}' is a {type(model).__name__} of statsmodels, which predicts no rows.",
                "Wrap it in a python: factory that returns a function of the rows.",
            )
        columns: tuple[str, ...] | None = tuple(name for name in design if name != _CONSTANT)
        if all(name == f"x{i}" for i, name in enumerate(columns or (), start=1)):
            columns = None  # statsmodels' own names for the columns of an array
            design = None
    else:
        columns = _formula_columns(spec)
    return ResultsModel(
        identity=identity,
        kind=kind,
        columns=columns,
        classes=None,
        results=found,
        design=design,
        said=said,
    )


def _formula_columns(spec: Any) -> tuple[str, ...] | None:
    """Return the columns that a formula reads, as formulaic or patsy describe it."""
    required = getattr(spec, "required_variables", None)
    if required is not None:
        return tuple(sorted(str(name) for name in required))
    names: dict[str, None] = {}
    for factor in getattr(spec, "factor_infos", {}):
        code = getattr(factor, "code", None)
        if code is None:
            return None
        names |= dict.fromkeys(_names(ast.parse(code, mode="eval")))
    return tuple(names) or None


def _names(tree: ast.AST) -> list[str]:
    """Return the variables of an expression: no functions, no modules, and what Q("a b") quotes."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    called |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called:
            found.append(node.id)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q":
            found += [str(part.value) for part in node.args if isinstance(part, ast.Constant)]
    return found
