"""A model that is an object in memory: anything with scikit-learn's methods, or a function of the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EvaluationError
from .columns import plain
from .described import Described
from .identity import Identity
from .untyped import as_wanted

if TYPE_CHECKING:
    import pandas as pd

    from ..hooks import ModelProtocol

Adapt = Callable[["pd.DataFrame"], "pd.DataFrame"]


@dataclass(frozen=True, eq=False, kw_only=True)
class EstimatorModel(Described):
    """A fitted estimator with ``predict`` and perhaps ``predict_proba`` and ``decision_function``."""

    classes: tuple[Any, ...] | None
    estimator: Any
    adapt: Adapt = plain
    #: Column -> type, where a signature states it.
    types: Mapping[str, str] = field(default_factory=dict)

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return the predictions for these rows; ``None`` where the estimator cannot give that."""
        rows: Any = self.adapt(frame)
        if hasattr(self.estimator, "n_features_in_") and _columns(self.estimator) is None:
            # Fitted without names: given names, scikit-learn warns, and a run with -W error would fail.
            rows = rows.to_numpy()
        if want == "probability" and hasattr(self.estimator, "predict_proba"):
            return np.asarray(self.estimator.predict_proba(rows), dtype=np.float64)
        if want == "score" and hasattr(self.estimator, "decision_function"):
            score = np.asarray(self.estimator.decision_function(rows), dtype=np.float64)
            return score if score.ndim == 1 else None
        if self.classes is None:
            return as_wanted(self.estimator.predict(rows), want)
        return np.asarray(self.estimator.predict(rows)) if want == "label" else None


@dataclass(frozen=True, eq=False, kw_only=True)
class FunctionModel(Described):
    """A function of the rows; what its result means is told by its shape and type."""

    classes: tuple[Any, ...] | None
    function: Callable[[pd.DataFrame], Any]
    #: Lives as long as the model: files that the function may still read.
    keep: Any = None
    #: Column -> type, where a signature states it.
    types: Mapping[str, str] = field(default_factory=dict)

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return what the function says about these rows; ``None`` where it is not what is wanted."""
        return as_wanted(self.function(plain(frame)), want)


def from_object(
    identity: Identity,
    found: Any,
    *,
    kind: str,
    columns: tuple[str, ...] | None = None,
    types: Mapping[str, str] | None = None,
    said: str = "",
) -> ModelProtocol:
    """Return the model that an object is.

    Parameters
    ----------
    identity : Identity
        Where it came from.
    found : object
        An estimator, anything with ``predict``, or a function of a data frame.
    kind : str
        What loaded it.
    columns : tuple of str, optional
        Used where the object itself doesn't name its columns.
    types : mapping, optional
        Column -> type, as a signature states it.
    said : str
        What a scanner has against it, although it is trusted.
    """
    from . import catboost, lightgbm, statsmodels, xgboost

    if xgboost.is_booster(found):
        return xgboost.of_booster(identity, found, kind=kind, said=said)
    if lightgbm.is_booster(found):
        return lightgbm.of_booster(identity, found, kind=kind, said=said)
    if catboost.is_catboost(found):
        return catboost.of_fitted(identity, found, kind=kind, said=said)
    if statsmodels.is_results(found):
        return statsmodels.of_results(identity, found, kind=kind, said=said)
    named = _columns(found)
    if hasattr(found, "predict"):
        return EstimatorModel(
            identity=identity,
            kind=kind,
            columns=named if named is not None else columns,
            classes=_classes(found, identity),
            estimator=found,
            adapt=_adapt(found),
            types=types or {},
            said=said,
        )
    if callable(found) and not isinstance(found, type):
        return FunctionModel(
            identity=identity,
            kind=kind,
            columns=columns,
            classes=None,
            function=found,
            types=types or {},
            said=said,
        )
    raise EvaluationError(
        f"'{identity.source}' holds {_article(found)}, which is no model: it has no predict.",
        "A fitted estimator, or any object with predict (and predict_proba), was needed.",
    )


def _article(found: Any) -> str:
    if isinstance(found, type):
        return f"the class {found.__name__}, not an object of it"
    return "nothing" if found is None else f"an object of type {type(found).__name__}"


def _columns(found: Any) -> tuple[str, ...] | None:
    names = getattr(found, "feature_names_in_", None)
    if names is None:
        # LightGBM's own name; it invents Column_0, ... where it was trained without names.
        names = getattr(found, "feature_name_", None)
        if names is not None and all(name == f"Column_{i}" for i, name in enumerate(names)):
            names = None
    return None if names is None else tuple(str(name) for name in names)


def _classes(found: Any, identity: Identity) -> tuple[Any, ...] | None:
    classes = getattr(found, "classes_", None)
    if classes is None:
        return None
    if isinstance(classes, list):
        raise EvaluationError(
            f"'{identity.source}' predicts several targets at once.",
            "Gate one target at a time: wrap the model in a python: factory that returns one of them.",
        )
    return tuple(item.item() if isinstance(item, np.generic) else item for item in np.asarray(classes))


def _adapt(found: Any) -> Adapt:
    module = type(found).__module__.partition(".")[0]
    if module == "xgboost" and _is_fitted(found, "get_booster"):
        from .xgboost import adapter

        return adapter(found.get_booster())
    if module == "lightgbm" and _is_fitted(found, "booster_"):
        from .lightgbm import adapter as lightgbm_adapter

        return lightgbm_adapter(found.booster_)
    return plain


def _is_fitted(found: Any, attribute: str) -> bool:
    # What isn't fitted says so itself when it is asked to predict.
    return hasattr(found, attribute) and bool(getattr(found, "__sklearn_is_fitted__", lambda: True)())
