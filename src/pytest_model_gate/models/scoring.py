"""Score a model over all batches: each model gets its own columns, and is called once per batch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from ..errors import EvaluationError, InvalidError, ModelGateError
from ..wording import first_line, plural, shorten, some_values
from .columns import select
from .excerpt import without_data

if TYPE_CHECKING:
    import pandas as pd

    from ..hooks import ModelProtocol


@dataclass(frozen=True, eq=False, kw_only=True)
class Scored:
    """What a model says about all rows, in the forms that it could give; ``None`` where it could not.

    Parameters
    ----------
    rows : int
        How many rows were scored.
    labels : ndarray, shape (rows,), or None
        Labels as the model names them, not codes.
    probability : ndarray, shape (rows,) or (rows, classes), or None
        Of the positive class, or of every class in the model's own order.
    score : ndarray, shape (rows,), or None
        Of the positive class, on any scale.
    value : ndarray, shape (rows,), or None
        A regressor's predictions.
    """

    rows: int
    labels: npt.NDArray[Any] | None = None
    probability: npt.NDArray[np.float64] | None = None
    score: npt.NDArray[np.float64] | None = None
    value: npt.NDArray[np.float64] | None = None


def score(
    model: ModelProtocol,
    batches: Iterable[pd.DataFrame],
    wants: Collection[str],
    *,
    role: str = "candidate",
) -> Scored:
    """Return what a model says about the rows of all batches.

    A classifier is asked for probabilities, whatever is wanted of it; labels are then their argmax and
    need no second call. Only where it has none, it is asked for scores and labels.

    Parameters
    ----------
    model : ModelProtocol
        What to score.
    batches : iterable of DataFrame
        Each with all columns that the model may ask for.
    wants : collection of {"label", "score", "probability", "value"}
        What the metrics need.
    role : str
        Whose model it is; errors name it.

    Raises
    ------
    EvaluationError
        If a column is missing, or the model raises.
    InvalidError
        If it returns another number of rows than it was given.
    """
    return join([_score_batch(model, batch, wants, role) for batch in batches], role=role)


def join(parts: Sequence[Scored], *, role: str = "candidate") -> Scored:
    """Return what was said about batches of rows as one.

    Raises
    ------
    InvalidError
        If a model gave one form of prediction for some batches and another for others.
    """
    parts = [part for part in parts if part.rows]
    rows = sum(part.rows for part in parts)

    def joined(form: str) -> Any:
        said = [getattr(part, form) for part in parts]
        return _joined([array for array in said if array is not None], rows, role)

    return Scored(
        rows=rows,
        labels=joined("labels"),
        probability=joined("probability"),
        score=joined("score"),
        value=joined("value"),
    )


def _score_batch(model: ModelProtocol, batch: pd.DataFrame, wants: Collection[str], role: str) -> Scored:
    offered = select(batch, model.columns, role)
    if len(offered) == 0:
        return Scored(rows=0)  # most libraries refuse to predict nothing
    said = _ask(model, offered, wants, role)
    return Scored(
        rows=len(offered),
        labels=said.get("label"),
        probability=said.get("probability"),
        score=said.get("score"),
        value=said.get("value"),
    )


def argmax_labels(probability: npt.NDArray[np.float64], classes: Sequence[Any]) -> npt.NDArray[Any]:
    """Return the most probable class of every row; of equal ones the first.

    Parameters
    ----------
    probability : ndarray, shape (n,) or (n, K)
        Of the second of two classes, or of every class.
    classes : sequence
        The labels, in the order of the columns.
    """
    names = np.empty(len(classes), dtype=object)
    names[:] = list(classes)
    kinds = {type(item) for item in classes}
    if kinds in ({int}, {bool}, {float}):
        names = names.astype(next(iter(kinds)))
    codes = (probability > 0.5).astype(np.intp) if probability.ndim == 1 else np.argmax(probability, axis=1)
    return np.asarray(names[codes])


def _ask(model: ModelProtocol, frame: pd.DataFrame, wants: Collection[str], role: str) -> dict[str, Any]:
    said: dict[str, Any] = {}

    def ask(form: str) -> Any:
        try:
            answer = model.predict(frame, form)
        except ModelGateError:
            raise
        except Exception as error:  # noqa: BLE001 - the model is the user's, and may raise anything
            _failed(model, frame, role, error)
        if answer is not None:
            said[form] = _checked(np.asarray(answer), form, len(frame), role)
        return said.get(form)

    if {"label", "score", "probability"} & set(wants):
        probability = ask("probability")
        if probability is None:
            for form in ("score", "label"):
                if form in wants:
                    ask(form)
        elif "label" in wants and model.classes is not None and _fits(probability, model.classes):
            said["label"] = argmax_labels(probability, model.classes)
    if "value" in wants:
        ask("value")
    return said


def _fits(probability: npt.NDArray[Any], classes: Sequence[Any]) -> bool:
    return len(classes) == (2 if probability.ndim == 1 else probability.shape[1])


def _checked(answer: npt.NDArray[Any], form: str, rows: int, role: str) -> npt.NDArray[Any]:
    fits = answer.ndim == 1 or (answer.ndim == 2 and form == "probability")
    if not fits or len(answer) != rows:
        raise InvalidError(
            f"The {role} returned an array of shape {answer.shape} for {plural(rows, 'row')} "
            f"when it was asked for {_FORMS[form]}.",
            "A model returns one prediction per row, in the order of the rows.",
        )
    return answer


_FORMS = {
    "label": "labels",
    "score": "scores",
    "probability": "probabilities",
    "value": "values",
}


def _failed(model: ModelProtocol, frame: pd.DataFrame, role: str, error: Exception) -> NoReturn:
    reason = shorten(without_data(first_line(error), frame), 160)
    empty = [str(name) for name in frame.columns[frame.isna().all()]]
    raise EvaluationError(
        f"The {role} ({model.resolved}) raised {type(error).__name__} while scoring"
        + (f": {reason}." if reason else "."),
        f"Look at what has no value in any of these rows: {some_values(empty)}."
        if empty
        else "Check that the columns have the types that it was trained on: "
        + shorten(", ".join(f"{name} {dtype}" for name, dtype in frame.dtypes.items()), 160)
        + ".",
    ) from error


def _joined(parts: list[npt.NDArray[Any]], rows: int, role: str) -> npt.NDArray[Any] | None:
    if not parts:
        return None
    if sum(map(len, parts)) != rows or len({part.shape[1:] for part in parts}) > 1:
        raise InvalidError(
            f"The {role} gives one form of prediction for some batches of rows and another for others.",
            "Return the same shape and type for all rows, for example always floats.",
        )
    if len({part.dtype.kind for part in parts}) > 1 and any(part.dtype.kind not in "biuf" for part in parts):
        parts = [part.astype(object) for part in parts]  # numpy would turn numbers into text
    return np.concatenate(parts) if len(parts) > 1 else parts[0]
