"""Score one model on one dataset, without a gate, and write what it says to a file that gates can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..data.lock import lock_path, read_lock
from ..errors import ConfigurationError, EvaluationError, UntrustedError
from ..hooks import DatasetProtocol, ModelProtocol
from ..models.columns import check_columns
from ..models.predictions import typed_classes
from ..models.provenance import Provenance
from ..models.scoring import score
from ..models.write_predictions import Written, write_predictions
from ..redact import redact
from ..spec import SourceContext
from ..wording import did_you_mean, shorten, some_values
from .registry import build_registry, load_model, open_dataset

Want = Literal["probability", "label", "value", "score"]
WANTS: tuple[Want, ...] = ("probability", "label", "value", "score")

_WHO = "model"


def score_to_file(
    model: str,
    data: str,
    output: str,
    *,
    key: str = "",
    want: Want | None = None,
    without: Sequence[str] = (),
    classes: Sequence[str] = (),
    context: SourceContext | None = None,
    trusted_digest: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> Written:
    """Score a model batch by batch, and write a Parquet file in one piece or not at all.

    Parameters
    ----------
    model, data : str
        Sources, as gates name them.
    output : str
        The ``.parquet`` file.
    key : str
        Column that gates join by: no missing value, none twice. Empty: the number of the row is written.
    want : str, optional
        What is asked of the model; the first that it gives, by default, of its probabilities, labels,
        values and scores.
    without : sequence of str
        Columns that a model which does not name its own must not get: the target, for one.
    classes : sequence of str
        The classes of the columns, for a model that does not name them (ONNX, LightGBM's own files).
    context : SourceContext, optional
        Where relative paths start, and what is trusted beside the lock file there.
    trusted_digest : str
        Digest of a model that may run code when it is loaded.
    progress : callable, optional
        Told how many rows are done, and of how many.

    Raises
    ------
    ModelGateError
        If the model, the data or the file do not allow it.
    """
    path = _output(output)
    context = context or SourceContext()
    lock = read_lock(lock_path(context.root))
    pinned = dict(lock.model_digests())
    if trusted_digest:
        pinned[redact(model)] = trusted_digest
    context = replace(
        context,
        pinned_models=MappingProxyType(pinned),
        pinned_versions=MappingProxyType(lock.versions()),
        key=key,
    )
    registry = build_registry()
    dataset = open_dataset(registry, data, context)
    try:
        loaded = load_model(registry, model, context)
    except UntrustedError as error:
        raise UntrustedError(
            error.what,
            f"If you trust these bytes, add: --trust {error.digest}" if error.digest else error.remedy,
            digest=error.digest,
        ) from None
    features = _features(dataset, loaded, key, without)
    pieces = _scored(dataset, loaded, features, key=key, want=want, progress=progress)
    provenance = Provenance(
        model=redact(loaded.resolved),
        model_digest=loaded.digest,
        dataset=redact(dataset.resolved),
        dataset_digest=dataset.digest,
    )
    return write_predictions(
        path, output, pieces, loaded, provenance, key=key, want=want, classes=typed_classes(classes)
    )


def _output(output: str) -> Path:
    path = Path(output)
    if path.suffix.lower() != ".parquet":
        raise ConfigurationError(
            f"Predictions are written as Parquet, got '{output}'.", "Write -o predictions.parquet."
        )
    if not path.parent.is_dir():
        raise ConfigurationError(
            f"There is no folder '{path.parent.as_posix()}' to write '{path.name}' to.", "Make it first."
        )
    return path


def _features(dataset: DatasetProtocol, model: ModelProtocol, key: str, without: Sequence[str]) -> list[str]:
    names = [name for name, _ in dataset.columns]
    for option, column in [*(("--key", key) for _ in key[:1]), *(("--without", name) for name in without)]:
        if column not in names:
            raise ConfigurationError(
                f"{option} {shorten(column, 120)}: the dataset has no such column.",
                did_you_mean(column, names, f"It has: {some_values(names)}."),
            )
    if model.columns is not None:
        check_columns(model.columns, names, _WHO)
        return list(model.columns)
    return [name for name in names if name != key and name not in without]


def _scored(
    dataset: DatasetProtocol,
    model: ModelProtocol,
    features: Sequence[str],
    *,
    key: str,
    want: Want | None,
    progress: Callable[[str, int, int], None] | None,
) -> Iterator[tuple[Want, Any, npt.NDArray[Any]]]:
    """Yield the form, the keys and the predictions of each batch of rows."""
    columns = list(dict.fromkeys([*([key] if key else []), *features]))
    done, form = 0, want
    for batch in dataset.batches(columns):
        if not len(batch):
            continue
        frame = batch[list(features)]
        if form is None:
            form = _first_given(model, frame)
        said = _said(model, frame, form)
        if said is None:
            raise EvaluationError(
                f"{redact(model.resolved)} gives no {form} of a row.",
                "Leave --want away to get what it gives." if want else "It cannot be scored.",
            )
        yield form, batch[key] if key else np.arange(done, done + len(batch)), said
        done += len(batch)
        if progress is not None:
            progress("scored rows", done, dataset.rows)


def _first_given(model: ModelProtocol, frame: Any) -> Want:
    head = frame.iloc[:100]
    for form in WANTS:
        # A classifier is asked for probabilities first, and its labels are made of them.
        if _said(model, head, form) is not None:
            return form
    raise EvaluationError(
        f"{redact(model.resolved)} gives neither probabilities nor labels, values or scores.",
        "Name a model with predict.",
    )


def _said(model: ModelProtocol, frame: Any, form: Want) -> npt.NDArray[Any] | None:
    # What has probabilities is not asked for scores in a gate; here the user may want just those.
    asked: Any = _Scores(model) if form == "score" else model
    scored = score(asked, [frame], [form], role=_WHO)
    found: npt.NDArray[Any] | None = scored.labels if form == "label" else getattr(scored, form)
    return found


class _Scores:
    """A model that gives nothing but its scores."""

    def __init__(self, model: ModelProtocol) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict(self, frame: Any, want: str) -> Any:
        """Return the scores of these rows."""
        return self._model.predict(frame, want) if want == "score" else None
