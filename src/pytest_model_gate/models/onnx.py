"""ONNX files: a graph of operators that onnxruntime runs; no Python code is in it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import EvaluationError, InvalidError
from ..wording import first_line, plural, shorten, some_values
from .columns import plain
from .described import Described
from .identity import Identity
from .packages import needed
from .untyped import as_wanted

if TYPE_CHECKING:
    import pandas as pd

#: Setting of onnxruntime: where files of weights are looked for.
_WEIGHTS = "session.model_external_initializers_file_folder_path"
_DTYPES: dict[str, type] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class OnnxModel(Described):
    """An inference session: one input per column, or one matrix of all columns.

    Its outputs are told apart by their form: a matrix or one map per row (``ZipMap``) are the
    probabilities, in the order of the classes; integers or text the labels; one float the value.
    """

    classes: tuple[Any, ...] | None
    session: Any

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return the predictions for these rows; ``None`` where the graph has no such output."""
        output = _output(self.session, want)
        if output is None:
            return None
        (raw,) = self.session.run([output], self._feed(plain(frame)))
        if isinstance(raw, list):  # ZipMap: one dict per row; every row has the same keys
            return np.array([[row[label] for label in sorted(row)] for row in raw], dtype=np.float64)
        return as_wanted(raw, want)

    def _feed(self, frame: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
        inputs = self.session.get_inputs()
        if self.columns is not None:
            return {node.name: _cast(frame[[node.name]], node, self.source) for node in inputs}
        (node,) = inputs
        width = node.shape[1]
        if isinstance(width, int) and width != frame.shape[1]:
            raise EvaluationError(
                f"'{self.source}' takes one matrix of {plural(width, 'column')} and does not name them; "
                f"the dataset offers {frame.shape[1]}: {some_values(str(name) for name in frame.columns)}.",
                "Convert the model with one named input per column, so that it can ask for its own.",
            )
        return {node.name: _cast(frame, node, self.source)}


def load(identity: Identity, content: bytes, *, kind: str = "onnx", beside: Path | None = None) -> OnnxModel:
    """Load the bytes of an ``.onnx`` file.

    Weights may lie in files of their own, which the graph names. They are read from ``beside`` alone, a
    folder that the digest covers: onnxruntime itself would take them from the working directory.
    """
    onnxruntime = needed("onnxruntime", identity.source, extra="onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    try:
        with tempfile.TemporaryDirectory(prefix="model-gate-") as empty:
            options.add_session_config_entry(_WEIGHTS, str(beside or empty))
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - its exceptions share no base class but this one
        if "External data path" in str(error):
            raise InvalidError(
                f"'{identity.source}' has weights in a file of their own, which is not read.",
                "Save them within the model, or log it to MLflow, where they lie in one folder with it.",
            ) from None
        raise InvalidError(
            f"'{identity.source}' is not an ONNX model that can be run: {shorten(first_line(error), 120)}.",
            "Write it again.",
        ) from None
    inputs = session.get_inputs()
    strange = [node.name for node in inputs if node.type not in _DTYPES]
    single = len(inputs) == 1 and len(inputs[0].shape) == 2 and inputs[0].shape[1] != 1
    scalar = all(len(node.shape) == 2 and node.shape[1] == 1 for node in inputs)
    if strange or not (single or scalar):
        shapes = some_values(f"{node.name}: {node.type} {node.shape}" for node in inputs)
        raise EvaluationError(
            f"'{identity.source}' has inputs that columns of a table cannot be given to: {shapes}.",
            "Convert it with one input per column, or with one matrix of all columns.",
        )
    return OnnxModel(
        identity=identity,
        kind=kind,
        columns=None if single else tuple(node.name for node in inputs),
        classes=None,
        session=session,
    )


def _output(session: Any, want: str) -> str | None:
    """Return the name of the output that is what is wanted."""
    forms: dict[str, str] = {}
    for node in session.get_outputs():
        if node.type.startswith("seq(map("):
            forms.setdefault("probability", node.name)
        elif node.type in ("tensor(int64)", "tensor(int32)", "tensor(string)", "tensor(bool)"):
            forms.setdefault("label", node.name)
        elif node.type.startswith(("tensor(float", "tensor(double")):
            wide = len(node.shape) == 2 and node.shape[1] != 1
            forms.setdefault("probability" if wide else "value", node.name)
    if "value" in forms and "label" in forms:  # a classifier with one column for the positive class
        forms.setdefault("probability", forms.pop("value"))
    return forms.get("value" if want == "score" else want)


def _cast(frame: pd.DataFrame, node: Any, source: str) -> npt.NDArray[Any]:
    dtype = _DTYPES[node.type]
    if dtype is np.object_:
        return frame.astype(object).to_numpy()
    try:
        return np.ascontiguousarray(frame.to_numpy(dtype=dtype))
    except (TypeError, ValueError):
        raise InvalidError(
            f"'{source}' takes {node.type} as input '{node.name}', and the dataset has "
            f"{some_values(str(kind) for kind in dict.fromkeys(frame.dtypes))} there.",
            "Give it a dataset with the column types that it was converted for.",
        ) from None
