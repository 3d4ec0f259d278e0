"""``predictions:path#column``: rows that were scored elsewhere, joined to the dataset by a key.

::

    predictions:scores.parquet#p_default            one column: a probability, score, value or label
    predictions:scores.csv#cat,dog,bird             one column of probabilities per class, named as the class
    predictions:scores.csv#0=p_no,1=p_yes           the same, with the class before the column
    predictions:wandb:team/credit/run-id#scores#p   a table that a run of W&B logged

The key is the column that the gate names with ``key``. The file may have more rows than the dataset.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, EvaluationError, InvalidError
from ..spec import SourceContext
from ..wording import did_you_mean, one_line, plural, shorten, some_values
from .described import Described
from .identity import Identity, read_once, sha256
from .provenance import Provenance, read_provenance
from .trust import check_pin
from .untyped import as_wanted

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "predictions:"
_SUFFIXES = (".parquet", ".csv", ".feather", ".jsonl")
#: What W&B writes a table as.
_TABLE = ".table.json"
_FORM = "Write predictions:path.parquet#column, or #class=column,class=column for several classes."


@dataclass(frozen=True, eq=False, kw_only=True)
class PredictionsModel(Described):
    """Predictions by key; it "predicts" by looking up the key of each row."""

    classes: tuple[Any, ...] | None
    key: str
    index: pd.Index[Any]
    values: npt.NDArray[Any]
    #: Digest of the dataset that was scored, where the file says it: a gate on another one refuses it.
    scored_on: str = ""
    #: What the predictions are, where the file says it.
    form: str = ""

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return the predictions of these rows; ``None`` where the column is not what is wanted."""
        if self.form and want != self.form and (self.form, want) != ("value", "score"):
            return None
        keys = frame[self.key]
        if keys.isna().any():
            raise InvalidError(
                f"The key '{self.key}' is missing in {plural(int(keys.isna().sum()), 'row')} of the dataset.",
                "Every row needs a key that the predictions file has, too.",
            )
        if _kind(keys) != _kind(self.index):
            raise InvalidError(
                f"The key '{self.key}' is {_kind(keys)} in the dataset and {_kind(self.index)} in "
                f"'{self.source}'.",
                "Write both with one type.",
            )
        position = self.index.get_indexer(_comparable(keys))
        lost = position < 0
        if lost.any():
            examples = some_values(_item(value) for value in keys[lost].iloc[:3])
            raise InvalidError(
                f"'{self.source}' has no prediction for {int(lost.sum()):,} of {plural(len(frame), 'row')}: "
                f"{self.key} {examples}.",
                "Score the whole dataset; rows without a prediction are not left out silently.",
            )
        return as_wanted(self.values[position], want)


def open_predictions(source: str, context: SourceContext) -> PredictionsModel:
    """Read the key and the predictions from a ``.parquet``, ``.csv``, ``.feather`` or ``.jsonl`` file."""
    path_text, classes, columns = parse(source)
    if not context.key:
        raise ConfigurationError(
            f"'{source}' is joined to the dataset by a key, and the gate names none.",
            'Add key = "column" to the gate: a column that both files have, with one row per value.',
        )
    address, name, content = read(path_text, context)
    suffix = suffix_of(name)
    made = _provenance(content) if suffix == ".parquet" else None
    # The column belongs to the identity: one file may hold the predictions of several models.
    resolved = f"{PREFIX}{address}#{source.rpartition('#')[2]}"
    if made is not None:
        resolved += (
            f" ({made.model} {_short(made.model_digest)} on {made.dataset} {_short(made.dataset_digest)})"
        )
    identity = Identity(source=source, resolved=resolved, digest=sha256(content))
    check_pin(identity, context)
    frame = _read(content, suffix, path_text)
    for name, role in [(context.key, "the key"), *((name, "the prediction") for name in columns)]:
        if name not in frame.columns:
            raise EvaluationError(
                f"'{path_text}' has no column '{shorten(name, 120)}' for {role}.",
                did_you_mean(
                    name, map(str, frame.columns), f"It has: {some_values(str(c) for c in frame.columns)}."
                ),
            )
    keys = frame[context.key]
    if keys.isna().any():
        raise InvalidError(
            f"'{path_text}' has no key in {plural(int(keys.isna().sum()), 'row')}.",
            "Write one prediction per key.",
        )
    doubled = keys.duplicated()
    if doubled.any():
        examples = some_values(_item(value) for value in keys[doubled].drop_duplicates().iloc[:3])
        raise InvalidError(
            f"'{path_text}' has {plural(int(doubled.sum()), 'row')} with a key that it had before: "
            f"{context.key} {examples}.",
            "Write one prediction per key.",
        )
    import pandas as pd

    predicted = frame[list(columns)]
    return PredictionsModel(
        identity=identity,
        kind="predictions",
        columns=(context.key,),
        classes=classes if made is None else _typed(classes, made.classes),
        key=context.key,
        scored_on="" if made is None else made.dataset_digest,
        form="" if made is None else made.want,
        index=pd.Index(_comparable(keys)),
        values=(predicted if len(columns) > 1 else predicted.iloc[:, 0]).to_numpy(),
    )


def read(path: str, context: SourceContext) -> tuple[str, str, bytes]:
    """Return the exact address of a file of predictions, its name and its bytes."""
    if path.startswith(("wandb:", "wandb-search:", "wandb-offline:")):
        from .wandb import predictions_of

        return predictions_of(path, context, (*_SUFFIXES, _TABLE))
    return PurePath(path).as_posix(), PurePath(path).name, read_once(Path(context.root, path), path)


def suffix_of(name: str) -> str:
    """Return what tells how a file is read."""
    return _TABLE if name.lower().endswith(_TABLE) else PurePath(name).suffix.lower()


def parse(source: str) -> tuple[str, tuple[Any, ...] | None, tuple[str, ...]]:
    """Split a source into its path, its classes (``None`` for a single column) and its columns.

    Class names that are all whole numbers are integers, since those are what a dataset would hold.

    Examples
    --------
    >>> parse("predictions:scores.parquet#p")
    ('scores.parquet', None, ('p',))
    >>> parse("predictions:scores.csv#0=p_no,1=p_yes")
    ('scores.csv', (0, 1), ('p_no', 'p_yes'))
    """
    path, hash_sign, text = source.removeprefix(PREFIX).rpartition("#")
    if not hash_sign or not path or not all(part.strip() for part in text.split(",")):
        raise ConfigurationError(f"'{source}' does not say which column holds the predictions.", _FORM)
    found = columns_of(text)
    if found is None:
        raise ConfigurationError(
            f"'{source}' needs two or more classes, each with a column of its own.", _FORM
        )
    return path, *found


def columns_of(text: str) -> tuple[tuple[Any, ...] | None, tuple[str, ...]] | None:
    """Return classes (``None`` for a single column) and columns of what stands after ``#``.

    ``None``: a name is missing, two are the same, or a class has no other beside it.

    Examples
    --------
    >>> columns_of("p"), columns_of("no=a,yes=b")
    ((None, ('p',)), (('no', 'yes'), ('a', 'b')))
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        return None
    pairs = [part.partition("=") for part in parts]
    columns = tuple((column if equals else name).strip() for name, equals, column in pairs)
    if len(parts) == 1 and not pairs[0][1]:
        return None, columns
    names = [name.strip() for name, _, _ in pairs]
    if len(set(columns)) < len(columns) or len(set(names)) < len(names) or len(names) < 2:
        return None
    return typed_classes(names), columns


def typed_classes(names: Sequence[str]) -> tuple[Any, ...]:
    """Return classes as a dataset would hold them: integers where all are whole numbers, else text."""
    whole = all(name.lstrip("-").isdecimal() for name in names)
    return tuple(int(name) if whole else name for name in names)


def _provenance(content: bytes) -> Provenance | None:
    try:
        return read_provenance(content)
    except Exception:  # noqa: BLE001 - a broken file is said to be one when its rows are read
        return None


def _short(digest: str) -> str:
    algorithm, colon, hexed = digest.partition(":")
    return f"{algorithm}{colon}{hexed[:8]}" if digest else "without a digest"


def _typed(classes: tuple[Any, ...] | None, known: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return the classes as the model named them: True and not "True", 1.0 and not "1.0"."""
    by_name = {str(item): item for item in known}
    if classes is None or not all(str(item) in by_name for item in classes):
        return classes
    return tuple(by_name[str(item)] for item in classes)


def _read(content: bytes, suffix: str, source: str) -> pd.DataFrame:
    import pandas as pd

    readers: dict[str, Any] = {
        ".parquet": pd.read_parquet,
        ".csv": _read_csv,
        ".feather": pd.read_feather,
        ".jsonl": _read_json_lines,
        _TABLE: _read_table,
    }
    if suffix not in readers:
        raise ConfigurationError(
            f"'{source}' is no kind of file that predictions are read from.",
            f"Write them as one of {', '.join(sorted(_SUFFIXES))}.",
        )
    try:
        frame: pd.DataFrame = readers[suffix](io.BytesIO(content))
    except Exception as error:  # noqa: BLE001 - pandas and pyarrow raise many kinds for a broken file
        raise InvalidError(
            f"'{source}' cannot be read as {suffix}: {one_line(error, 120)}.", "Write the file again."
        ) from None
    return frame


def _read_csv(stream: io.BytesIO) -> pd.DataFrame:
    """Read CSV to the last digit, which pandas does by itself since version 3."""
    import pandas as pd

    exactly: dict[str, Any] = (
        {} if int(pd.__version__.split(".")[0]) >= 3 else {"float_precision": "round_trip"}
    )
    frame: pd.DataFrame = pd.read_csv(stream, **exactly)
    return frame


def _read_json_lines(stream: io.BytesIO) -> pd.DataFrame:
    """Read one object per line; ``pandas.read_json`` is off in the last digit and makes numbers of text."""
    import pandas as pd

    return pd.DataFrame([json.loads(line) for line in stream if line.strip()])


def _read_table(stream: io.BytesIO) -> pd.DataFrame:
    """Read a table of W&B."""
    import pandas as pd

    said = json.load(stream)
    return pd.DataFrame(said["data"], columns=said["columns"])


def _kind(values: pd.Series[Any] | pd.Index[Any]) -> str:
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(dtype):
        return "integer"
    if pd.api.types.is_float_dtype(dtype):
        return "floating point"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "a date"
    return "text" if pd.api.types.is_string_dtype(dtype) else str(dtype)


def _comparable(values: pd.Series[Any]) -> Any:
    """Return keys as an array that compares by value, whatever their dtype is called."""
    kind = _kind(values)
    if kind == "integer":
        return values.astype("int64").to_numpy()
    return values.astype(object).to_numpy() if kind in ("text", "boolean") else values.to_numpy()


def _item(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
