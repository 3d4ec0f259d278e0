"""CatBoost's own files (``.cbm``): they hold trees, not code, and are checked to be whole first."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EvaluationError, InvalidError
from ..wording import first_line, plural, shorten
from .columns import plain
from .described import Described
from .identity import Identity
from .packages import is_of, needed

if TYPE_CHECKING:
    import pandas as pd

_MAGIC = b"CBM1"
#: How the part after the trees begins where it is not the table of categories: with its own name.
_OTHER_PARTS = (b"text_process", b"embedding_process")
_SEVERAL_TARGETS = ("MultiRMSE", "MultiLogloss", "MultiCrossEntropy", "MultiQuantile", "RMSEWithUncertainty")
#: Losses of a logarithm: the value is the exponent of what the trees say.
_EXPONENTS = ("Poisson", "Tweedie")
_RANKINGS = (
    *("YetiRank", "YetiRankPairwise", "PairLogit", "PairLogitPairwise", "QueryRMSE", "QuerySoftMax"),
    *("QueryCrossEntropy", "StochasticRank", "LambdaMart", "StochasticFilter", "GroupQuantile"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class CatBoostModel(Described):
    """A CatBoost model: a classifier, a regressor or a ranker, as its loss says."""

    classes: tuple[Any, ...] | None
    model: Any
    loss: str
    #: The columns that were categories in training, by position.
    categorical: tuple[int, ...]

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return the predictions for these rows; ``None`` where the loss does not give that."""
        if self.classes is None:
            if want != "score" and (want != "value" or self.loss in _RANKINGS):
                return None
            # A model from a file has forgotten that its regressor would predict so.
            form = "Exponent" if self.loss in _EXPONENTS else "RawFormulaVal"
            return np.asarray(self.model.predict(self._rows(frame), prediction_type=form), dtype=np.float64)
        if want == "probability":
            return np.asarray(self.model.predict_proba(self._rows(frame)), dtype=np.float64)
        if want == "label":  # of several classes it gives a matrix of one column
            return np.asarray(self.model.predict(self._rows(frame))).reshape(len(frame))
        if want == "score" and len(self.classes) == 2:
            raw = self.model.predict(self._rows(frame), prediction_type="RawFormulaVal")
            return np.asarray(raw, dtype=np.float64)
        return None

    def _rows(self, frame: pd.DataFrame) -> Any:
        rows = plain(frame)
        names = [str(rows.columns[position]) for position in self.categorical if position < rows.shape[1]]
        for name in names:
            _check_category(rows[name], name)
        return rows if self.columns is not None else rows.to_numpy(dtype=object if names else None)


def load(identity: Identity, content: bytes, *, kind: str = "catboost") -> CatBoostModel:
    """Load the bytes of a ``.cbm`` file."""
    check_whole(content, identity.source)
    catboost = needed("catboost", identity.source, extra="catboost")
    try:
        bare = catboost.CatBoost()
        bare.load_model(blob=content)
        model = bare
        if len(bare.classes_):
            model = catboost.CatBoostClassifier()
            model.load_model(blob=content)
    except (catboost.CatBoostError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise _broken(identity.source, _reason(error)) from None
    return of_fitted(identity, model, kind=kind)


def of_fitted(identity: Identity, model: Any, *, kind: str, said: str = "") -> CatBoostModel:
    """Return the model that a CatBoost object is, wherever it came from."""
    if not model.is_fitted():
        raise EvaluationError(
            f"'{identity.source}' holds a {type(model).__name__} that was not fitted.", "Fit it, and save it."
        )
    loss = str(model.get_all_params().get("loss_function", "")).partition(":")[0]
    if loss in _SEVERAL_TARGETS:
        raise EvaluationError(
            f"'{identity.source}' predicts several numbers for each row: its loss is {loss}.",
            "Gate one target at a time: wrap the model in a python: factory that returns one of them.",
        )
    if list(model.get_text_feature_indices()) or list(model.get_embedding_feature_indices()):
        raise EvaluationError(
            f"'{identity.source}' has features of free text or embeddings, which columns of a table "
            "cannot be told from.",
            "Wrap the model in a python: factory that makes a catboost.Pool of the rows.",
        )
    names = tuple(str(name) for name in model.feature_names_)
    numbered = all(name == str(i) for i, name in enumerate(names))
    classes = np.asarray(model.classes_).tolist()
    return CatBoostModel(
        identity=identity,
        kind=kind,
        columns=None if numbered else names,
        classes=tuple(classes) if classes else None,
        model=model,
        loss=loss,
        categorical=tuple(int(i) for i in model.get_cat_feature_indices()),
        said=said,
    )


def check_whole(content: bytes, source: str) -> None:
    """Refuse a file that was cut off.

    CatBoost checks the trees, and not the table of categories after them: where that is cut off it reads
    on (a segmentation fault, or a loop without an end), and no exception would reach the test run.
    """
    if not content.startswith(_MAGIC):
        raise _broken(source, "it does not start as one")
    end = 8 + _number(content, 4, source)
    if end > len(content):
        raise _broken(source, "it is cut off within its trees")
    if not content[end:].strip(b"\0"):
        # Nothing follows. Whether something should is told by the name of the part, within the trees.
        if b"static_provider_v1" in content[:end]:
            raise _broken(source, "its categories are missing")
        return
    if content[end:].startswith(_OTHER_PARTS):
        return
    tables, end = _number(content, end, source), end + 4
    for _ in range(tables):
        end += 4 + _number(content, end, source)
    if end > len(content):
        raise _broken(source, "it is cut off within its categories")


def _number(content: bytes, at: int, source: str) -> int:
    if at + 4 > len(content):
        raise _broken(source, "it is cut off")
    return int(struct.unpack_from("<I", content, at)[0])


def _check_category(column: pd.Series[Any], name: str) -> None:
    """Say in words what CatBoost refuses of a column that was a category in training."""
    missing = int(column.isna().sum())
    if missing:
        raise InvalidError(
            f"Column '{shorten(name, 120)}' has no value in {plural(missing, 'row')}, and CatBoost takes no "
            "missing category.",
            "Write the text for it that the model was trained with, in the dataset or in a python: factory.",
        )
    if column.dtype.kind == "f":
        raise InvalidError(
            f"Column '{shorten(name, 120)}' is {column.dtype} in the dataset, and was a category in "
            "training.",
            "CatBoost tells categories by their text, and 3 from 3.0: write whole numbers or text.",
        )


def _reason(error: Exception) -> str:
    # "catboost/libs/model/model.cpp:1245: Flatbuffers ...": the place says nothing to a user.
    text = first_line(error)
    return shorten(text.partition(": ")[2] if text.startswith(("catboost/", "util/")) else text, 120)


def _broken(source: str, reason: str) -> InvalidError:
    return InvalidError(
        f"'{source}' is not a whole CatBoost model: {reason}.",
        "Write it again with model.save_model('model.cbm').",
    )


def is_catboost(found: Any) -> bool:
    """Whether an object is one of CatBoost's models, without importing CatBoost."""
    return is_of(found, "catboost", "CatBoost")
