"""The Open Inference Protocol, also called v2: tensors in, tensors out, as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import EvaluationError, InvalidError
from ...wording import did_you_mean, plural, shorten, some_values
from ..columns import plain
from .address import Address
from .answers import Part
from .cells import Cells, cells_of

if TYPE_CHECKING:
    import pandas as pd

#: Datatype -> what JSON values it has.
_KINDS = {
    "BOOL": "truth",
    **{f"{sign}INT{bits}": "whole" for sign in ("", "U") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": "number" for bits in (16, 32, 64)},
    "BF16": "number",
    "BYTES": "text",
}
_OUT = {"truth": "b", "whole": "i", "number": "f", "text": "O"}


class Tensor(NamedTuple):
    """An input or output as the model's metadata states it."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Stated(NamedTuple):
    """What a server says of a model.

    Parameters
    ----------
    versions : tuple of str
        That it could answer with. Empty: it says none.
    platform : str
        What runs it.
    inputs, outputs : tuple of Tensor
        Empty: it says none.
    """

    versions: tuple[str, ...]
    platform: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def matrix(self) -> Tensor | None:
        """The only input, where it takes all columns at once."""
        if len(self.inputs) == 1 and len(self.inputs[0].shape) == 2 and self.inputs[0].shape[1] != 1:
            return self.inputs[0]
        return None

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns that it names as its inputs."""
        return tuple(item.name for item in self.inputs) if self.inputs and self.matrix is None else None

    @property
    def types(self) -> Mapping[str, str]:
        """Column -> type, where the metadata states one; ``BYTES`` may be text or times."""
        if self.columns is None:
            return {}
        words = {"truth": "bool", "whole": "int64", "number": "float64"}
        return {item.name: words[_KINDS[item.datatype]] for item in self.inputs if item.datatype != "BYTES"}


def stated(address: Address, found: Any) -> Stated:
    """Read the metadata of a model.

    Raises
    ------
    EvaluationError
        If it is none, or if rows of a table cannot be given to its inputs.
    """
    try:
        said = Stated(
            versions=tuple(shorten(str(item), 80) for item in found.get("versions") or ()),
            platform=shorten(str(found.get("platform") or ""), 80),
            inputs=tuple(map(_tensor, found.get("inputs") or ())),
            outputs=tuple(map(_tensor, found.get("outputs") or ())),
        )
        if not isinstance(found["name"], str):
            raise TypeError
    except (AttributeError, KeyError, TypeError, ValueError):
        raise EvaluationError(
            f"'{address.source}' does not say of itself what the Open Inference Protocol asks for.",
            "Check the path; the metadata of a model need a name, and of each input a name, a datatype and a "
            "shape.",
        ) from None
    strange = [item for item in said.inputs if item.datatype not in _KINDS]
    scalar = all(item.shape in ((-1,), (-1, 1)) for item in said.inputs)
    if strange or not (said.matrix is not None or scalar):
        shapes = some_values(f"{item.name}: {item.datatype} {list(item.shape)}" for item in said.inputs)
        raise EvaluationError(
            f"'{address.source}' has inputs that columns of a table cannot be given to: {shapes}.",
            "Serve it with one input per column, or with one matrix of all columns.",
        )
    return said


def _tensor(item: Any) -> Tensor:
    return Tensor(str(item["name"]), str(item["datatype"]), tuple(int(size) for size in item["shape"]))


def request(address: Address, said: Stated, frame: pd.DataFrame) -> dict[str, Any]:
    """Return the rows as tensors: of the types that the metadata state, else of the columns' own.

    Without metadata the content type ``pd`` asks for a table: MLServer knows it, others pass over it.
    """
    frame = plain(frame)
    found: dict[str, Any]
    if said.matrix is not None:
        found = {"inputs": [_of_table(address, said.matrix, frame)]}
    else:
        tensors = {item.name: item for item in said.inputs}
        found = {
            "parameters": {"content_type": "pd"},
            "inputs": [
                _of_column(address, tensors.get(str(name)), str(name), column)
                for name, column in frame.items()
            ],
        }
    if address.outputs:
        found["outputs"] = [{"name": name} for name in address.outputs]
    return found


def _of_column(address: Address, tensor: Tensor | None, name: str, column: pd.Series[Any]) -> dict[str, Any]:
    cells = cells_of(name, column, address.source)
    datatype = _own(cells) if tensor is None else tensor.datatype
    shape = [len(column), 1] if tensor is None or len(tensor.shape) == 2 else [len(column)]
    values = _cast(address, cells, datatype, name, column)
    found: dict[str, Any] = {"name": name, "shape": shape, "datatype": datatype, "data": values}
    if cells.kind == "time" and datatype == "BYTES":
        found["parameters"] = {"content_type": "datetime"}
    return found


def _of_table(address: Address, tensor: Tensor, frame: pd.DataFrame) -> dict[str, Any]:
    width = tensor.shape[1]
    if width not in (-1, frame.shape[1]):
        raise EvaluationError(
            f"'{address.source}' takes one matrix of {plural(width, 'column')} and does not name them; "
            f"the dataset offers {frame.shape[1]}: {some_values(str(name) for name in frame.columns)}.",
            "Serve it with one named input per column, so that it can ask for its own.",
        )
    columns = [
        _cast(address, cells_of(str(name), column, address.source), tensor.datatype, str(name), column)
        for name, column in frame.items()
    ]
    return {
        "name": tensor.name,
        "shape": list(frame.shape),
        "datatype": tensor.datatype,
        "data": [value for row in zip(*columns, strict=True) for value in row],
    }


def _own(cells: Cells) -> str:
    """Return the datatype that a column is sent as where nobody asks for another."""
    if cells.kind == "number":
        return f"FP{cells.width}"
    if cells.kind == "whole":
        return f"{'' if cells.signed else 'U'}INT{cells.width}"
    return "BOOL" if cells.kind == "truth" else "BYTES"


def _cast(address: Address, cells: Cells, datatype: str, name: str, column: pd.Series[Any]) -> list[Any]:
    """Return the values as a datatype, where nothing is lost by that."""
    kind = _KINDS[datatype]
    missing = sum(value is None for value in cells.values)
    if kind == "text" and cells.kind in ("text", "time"):
        return cells.values
    if kind == "number" and cells.kind in ("number", "whole", "truth"):
        return [None if value is None else float(value) for value in cells.values]
    if missing and kind in ("whole", "truth"):
        raise InvalidError(
            f"'{address.source}' takes {datatype} as input '{name}', which has no missing values, and "
            f"{plural(missing, 'row')} {'has' if missing == 1 else 'have'} none.",
            "Fill them in, or serve the model with FP64 there.",
        )
    if kind == "whole" and cells.kind in ("number", "whole", "truth"):
        limits = np.iinfo(datatype.lower())
        whole = [int(value) for value in cells.values if float(value).is_integer()]
        if len(whole) == len(cells.values) and all(limits.min <= value <= limits.max for value in whole):
            return whole
    if kind == "truth" and cells.kind == "truth":
        return cells.values
    raise InvalidError(
        f"'{address.source}' takes {datatype} as input '{name}', and the dataset has {column.dtype} there.",
        "Give it a dataset with the column types that it was made for.",
    )


def read(address: Address, found: Any, rows: int) -> Part:
    """Return the output that is the prediction, or those that are the classes.

    Raises
    ------
    InvalidError
        If the answer is none of the protocol, or has another output.
    """
    outputs = found.get("outputs") if isinstance(found, dict) else None
    try:
        by_name = {str(item["name"]): (_tensor(item), item["data"]) for item in outputs or ()}
        if not by_name or not all(isinstance(data, list) for _, data in by_name.values()):
            raise TypeError
    except (KeyError, TypeError, ValueError):
        raise InvalidError(
            f"'{address.source}' answered without outputs as the Open Inference Protocol has them.",
            "Each needs a name, a datatype, a shape and its data as JSON.",
        ) from None
    version = shorten(str(found.get("model_version") or ""), 80)
    chosen = address.outputs or tuple(by_name)
    if len(chosen) > 1 and not address.outputs:
        raise InvalidError(
            f"'{address.source}' gives several outputs: {some_values(by_name)}.",
            f"Say which one is the prediction: {address.source}#{chosen[0]}",
        )
    missing = [name for name in chosen if name not in by_name]
    if missing:
        raise InvalidError(
            f"'{address.source}' gives no output '{shorten(missing[0], 120)}'.",
            did_you_mean(missing[0], by_name, f"It gives: {some_values(by_name)}."),
        )
    parts = [_values(address, *by_name[name], rows) for name in chosen]
    if len(parts) == 1:
        return Part(names=None, kind=parts[0][0], values=parts[0][1], version=version)
    if any(isinstance(values[0], list) for _, values in parts) or len({kind for kind, _ in parts}) > 1:
        raise InvalidError(
            f"'{address.source}' gives outputs that are no column each: {some_values(chosen)}.",
            "Name one output of each class, or one that has them all.",
        )
    together = [list(row) for row in zip(*(values for _, values in parts), strict=True)]
    return Part(names=chosen, kind=parts[0][0], values=together, version=version)


def _values(address: Address, tensor: Tensor, data: list[Any], rows: int) -> tuple[str, list[Any]]:
    """Return what one output holds: a value for each row, or a list of them."""
    flat = _flat(data)
    shape = tensor.shape
    if tensor.datatype not in _KINDS or not shape or len(shape) > 2 or math.prod(shape) != len(flat):
        raise InvalidError(
            f"'{address.source}' gives '{tensor.name}' as {tensor.datatype} {list(shape)} with "
            f"{plural(len(flat), 'value')}, which is no prediction for each row.",
            "One value for each row, or one for each row and class, was needed.",
        )
    kind = _OUT[_KINDS[tensor.datatype]]
    if len(shape) == 1 or shape[1] == 1:
        return kind, flat
    if shape[0] == 1 != rows and shape[1] == rows:
        return kind, flat  # a row vector, as some runtimes write one value for each row
    wide = shape[1]
    return kind, [flat[start : start + wide] for start in range(0, len(flat), wide)]


def _flat(data: Sequence[Any]) -> list[Any]:
    """Return values in the order of rows; a server may nest them."""
    if data and all(isinstance(item, list) for item in data):
        return [value for item in data for value in _flat(item)]
    return list(data)
