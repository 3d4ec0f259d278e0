"""XGBoost's own files (``.json``, ``.ubj``): they hold trees, not code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EvaluationError, InvalidError
from ..wording import first_line, shorten
from .columns import plain, with_categories
from .described import Described
from .estimator import Adapt, EstimatorModel
from .identity import Identity
from .packages import is_of, needed

if TYPE_CHECKING:
    import pandas as pd

#: What the numbers of a booster are, by objective. Everything else is a number without a meaning to us.
_PROBABILITY = ("binary:logistic", "multi:softprob")
_LABEL = ("binary:hinge", "multi:softmax")
_SCORE = ("binary:logitraw", "rank:")
_VALUE = ("reg:", "count:", "survival:")


@dataclass(frozen=True, eq=False, kw_only=True)
class BoosterModel(Described):
    """A native ``xgboost.Booster``."""

    classes: tuple[Any, ...] | None
    booster: Any
    objective: str
    adapt: Adapt

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return the predictions for these rows; ``None`` where the objective does not give that."""
        meaning = _meaning(self.objective)
        if want != meaning and not (meaning == "value" and want == "score"):
            return None
        import xgboost

        rows = self.adapt(frame)
        data = rows if self.booster.feature_names is not None else rows.to_numpy()
        raw = self.booster.predict(xgboost.DMatrix(data, enable_categorical=True))
        if meaning == "label":
            return raw.astype(np.int64)
        return raw.astype(np.float64)


def load(identity: Identity, content: bytes, *, kind: str = "xgboost") -> EstimatorModel | BoosterModel:
    """Load the bytes of a ``.json`` or ``.ubj`` file.

    A file that ``XGBClassifier`` or ``XGBRegressor`` wrote is predicted as they do (with early
    stopping's best iteration), one of a native ``Booster`` as ``Booster.predict`` does. XGBoost trains
    on class codes, so the classes are ``0, 1, ...``.
    """
    xgboost = needed("xgboost", identity.source, extra="xgboost")
    booster = xgboost.Booster()
    try:
        if not content:  # XGBoost would end the whole process on it
            raise ValueError("the file is empty")
        booster.load_model(bytearray(content))
        json.loads(booster.save_config())["learner"]["objective"]["name"]
        writer = json.loads(booster.attr("scikit_learn") or "{}").get("_estimator_type", "")
    except (xgboost.core.XGBoostError, ValueError, KeyError) as error:
        if b'"oblivious_trees"' in content:
            raise EvaluationError(
                f"'{identity.source}' is a CatBoost model as JSON, whose predictions have other last digits "
                "than those of the model that was saved.",
                "Write it with model.save_model('model.cbm').",
            ) from None
        raise InvalidError(
            f"'{identity.source}' is not a whole XGBoost model: {_reason(error)}.",
            "Write it again with save_model('model.json') or save_model('model.ubj').",
        ) from None
    names = booster.feature_names
    columns = None if names is None else tuple(names)
    wrappers = {"classifier": xgboost.XGBClassifier, "regressor": xgboost.XGBRegressor}
    if writer in wrappers:
        estimator = wrappers[writer]()
        estimator.load_model(bytearray(content))
        classes = tuple(range(int(estimator.n_classes_))) if writer == "classifier" else None
        return EstimatorModel(
            identity=identity,
            kind=kind,
            columns=columns,
            classes=classes,
            estimator=estimator,
            adapt=adapter(booster),
        )
    return of_booster(identity, booster, kind=kind)


def of_booster(identity: Identity, booster: Any, *, kind: str, said: str = "") -> BoosterModel:
    """Return the model that a native ``Booster`` is, wherever it came from."""
    names = booster.feature_names
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    return BoosterModel(
        identity=identity,
        kind=kind,
        columns=None if names is None else tuple(names),
        classes=_classes(booster, objective),
        booster=booster,
        objective=objective,
        adapt=adapter(booster),
        said=said,
    )


def is_booster(found: Any) -> bool:
    """Whether an object is a native ``Booster``, without importing XGBoost."""
    return is_of(found, "xgboost", "Booster")


def adapter(booster: Any) -> Adapt:
    """Return what makes the rows readable for this booster: text becomes its categories."""
    types = booster.feature_types or []
    names = booster.feature_names or []
    categorical = [name for name, kind in zip(names, types, strict=False) if kind == "c"]
    if not categorical:
        return plain
    categories = _categories(booster, categorical)

    def adapt(frame: pd.DataFrame) -> pd.DataFrame:
        return with_categories(plain(frame), categories, keep_categoricals=False)

    return adapt


def _categories(booster: Any, names: list[str]) -> dict[str, list[Any]]:
    known: dict[str, Any] = {}
    if hasattr(booster, "get_categories"):  # XGBoost 3.1 and newer
        known = dict(booster.get_categories(export_to_arrow=True).to_arrow())
    without = [name for name in names if known.get(name) is None]
    if without:
        raise EvaluationError(
            f"The XGBoost model does not say which categories column '{shorten(without[0])}' has: "
            "it was saved by a version before 3.1, and their codes may be other ones now.",
            "Save it again with XGBoost 3.1 or newer.",
        )
    return {name: known[name].to_pylist() for name in names}


def _meaning(objective: str) -> str:
    for meaning, prefixes in (
        ("probability", _PROBABILITY),
        ("label", _LABEL),
        ("score", _SCORE),
        ("value", _VALUE),
    ):
        if objective.startswith(prefixes):
            return meaning
    return "score"


def _classes(booster: Any, objective: str) -> tuple[int, ...] | None:
    if objective.startswith("binary:"):
        return (0, 1)
    if objective.startswith("multi:"):
        parameters = json.loads(booster.save_config())["learner"]["learner_model_param"]
        return tuple(range(int(parameters["num_class"])))
    return None


def _reason(error: Exception) -> str:
    # "[08:19:07] /workspace/src/common/json.cc:409: Expecting: ..." : time and place say nothing to a user.
    text = first_line(error)
    return shorten(
        text.rpartition(": ")[0] and text.split(": ", 1)[-1] if text.startswith("[") else text, 120
    )
