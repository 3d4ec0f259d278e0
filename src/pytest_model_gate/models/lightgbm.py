"""LightGBM's own text files (``.txt``): they hold trees, not code, and are checked to be whole first."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EvaluationError, InvalidError
from ..wording import one_line
from .columns import plain, with_categories
from .described import Described
from .estimator import Adapt
from .identity import Identity
from .packages import is_of, needed

if TYPE_CHECKING:
    import pandas as pd

_PROBABILITY = ("binary", "multiclass", "multiclassova", "cross_entropy")
_SCORE = ("lambdarank", "rank_xendcg", "")
_TREES = b"\nend of trees\n"
_PARAMETERS = b"\nparameters:"
_PARAMETERS_END = b"\nend of parameters"
_PANDAS = b"\npandas_categorical:"


@dataclass(frozen=True, eq=False, kw_only=True)
class BoosterModel(Described):
    """A native ``lightgbm.Booster``."""

    classes: tuple[Any, ...] | None
    booster: Any
    objective: str
    adapt: Adapt

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return the predictions for these rows; ``None`` where the objective does not give that."""
        if self.objective in _PROBABILITY:
            meaning = "probability"
        else:
            meaning = "score" if self.objective in _SCORE else "value"
        if want != meaning and not (meaning == "value" and want == "score"):
            return None
        rows = self.adapt(frame)
        data = rows if self.columns is not None else rows.to_numpy()
        return np.asarray(self.booster.predict(data), dtype=np.float64)


def load(identity: Identity, content: bytes, *, kind: str = "lightgbm") -> BoosterModel:
    """Load the bytes of a text model.

    The file does not keep the names of the classes: the columns of its probabilities are in the order
    of the sorted labels that it was trained on.
    """
    check_whole(content, identity.source)
    lightgbm = needed("lightgbm", identity.source, extra="lightgbm")
    try:
        booster = lightgbm.Booster(model_str=content.decode())
    except (lightgbm.basic.LightGBMError, ValueError) as error:
        raise _broken(identity.source, one_line(error)) from None
    return of_booster(identity, booster, kind=kind, text=content.decode())


def of_booster(
    identity: Identity, booster: Any, *, kind: str, text: str = "", said: str = ""
) -> BoosterModel:
    """Return the model that a native ``Booster`` is; ``text`` is what its file says, where there is one."""
    text = text or booster.model_to_string(num_iteration=1)
    objective = re.search(r"^objective=(\S+)", text, re.MULTILINE)
    names = tuple(booster.feature_name())
    invented = all(name == f"Column_{i}" for i, name in enumerate(names))
    return BoosterModel(
        identity=identity,
        kind=kind,
        columns=None if invented else names,
        classes=None,
        booster=booster,
        objective=objective[1] if objective else "",
        adapt=adapter(booster, text),
        said=said,
    )


def is_booster(found: Any) -> bool:
    """Whether an object is a native ``Booster``, without importing LightGBM."""
    return is_of(found, "lightgbm", "Booster")


def check_whole(content: bytes, source: str) -> None:
    """Refuse a text model that was cut off or edited.

    LightGBM itself ends the process (abort or segmentation fault) on many of those: no exception would
    reach the test run. The header tells the size of every tree, so that can be checked first.
    """
    sizes = re.search(rb"^tree_sizes=([\d ]*)$", content[: content.find(b"\nTree=") + 1], re.MULTILINE)
    start = content.find(b"\nTree=") + 1
    if not content.startswith(b"tree\n"):
        raise _broken(source, "it does not start as one")
    if sizes is None or start == 0:
        raise _broken(source, "its header is cut off")
    end = start + sum(int(size) for size in sizes[1].split())
    if content[end - 1 : end - 1 + len(_TREES)] != _TREES:
        raise _broken(source, "its trees are not as long as its header says")
    after = content[end:]
    if _PARAMETERS in after and _PARAMETERS_END not in after:
        raise _broken(source, "it is cut off within its parameters")
    if _PANDAS in after:
        try:
            json.loads(after.rpartition(_PANDAS)[2])
        except ValueError:
            raise _broken(source, "it is cut off within its categories") from None


def adapter(booster: Any, text: str = "") -> Adapt:
    """Return what makes the rows readable for this booster: text becomes its categories.

    A column that is a category dtype already is left to LightGBM, which takes a category that it does
    not know as a missing value.
    """
    known = booster.pandas_categorical
    if not known:
        return plain
    # Which features the lists belong to is only said in the parameters: "[categorical_feature: 1,3]".
    found = re.search(
        r"^\[categorical_feature: ([\d,]+)\]$", text or booster.model_to_string(num_iteration=1), re.M
    )
    positions = [int(part) for part in found[1].split(",")] if found else []
    names = booster.feature_name()
    if len(positions) != len(known):
        raise EvaluationError(
            f"The LightGBM model has categories for {len(known)} columns and does not say for which ones.",
            "Save it again from the booster that was trained on a data frame.",
        )
    categories = {names[position]: values for position, values in zip(positions, known, strict=True)}

    def adapt(frame: pd.DataFrame) -> pd.DataFrame:
        return with_categories(plain(frame), categories, keep_categoricals=True)

    return adapt


def _broken(source: str, reason: str) -> InvalidError:
    return InvalidError(
        f"'{source}' is not a whole LightGBM model: {reason}.",
        "Write it again with booster.save_model('model.txt').",
    )
