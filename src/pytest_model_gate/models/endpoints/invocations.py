"""What MLflow's scoring server takes and says: ``dataframe_split`` in, ``predictions`` out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import InvalidError
from ...wording import did_you_mean, shorten, some_values
from ..columns import plain
from .address import Address
from .answers import Part
from .cells import cells_of

if TYPE_CHECKING:
    import pandas as pd


def request(address: Address, frame: pd.DataFrame) -> dict[str, Any]:
    """Return the rows as ``dataframe_split``; the server gives them the types of the model's signature."""
    columns = [cells_of(str(name), column, address.source).values for name, column in plain(frame).items()]
    return {
        "dataframe_split": {
            "columns": [str(name) for name in frame.columns],
            "data": [list(row) for row in zip(*columns, strict=True)] if columns else [[]] * len(frame),
        }
    }


def read(address: Address, found: Any) -> Part:
    """Return the predictions: one value for each row, one list, or one record of named values.

    Raises
    ------
    InvalidError
        If they have another form.
    """
    said = found.get("predictions") if isinstance(found, dict) else None
    if not isinstance(said, list):
        others = [key for key in found if key != "predictions"] if isinstance(found, dict) else []
        keys = f", only {some_values(others)}" if others else ""
        raise InvalidError(
            f"'{address.source}' answered without a list of 'predictions'{keys}.",
            "Serve the model with MLflow 2 or newer: mlflow models serve -m MODEL",
        )
    if said and all(isinstance(row, dict) for row in said):
        return _records(address, said)
    if address.outputs:
        raise InvalidError(
            f"'{address.source}' gives predictions without names, so none is called '{address.outputs[0]}'.",
            "Leave away what stands after #, or let the model return a data frame.",
        )
    return Part(names=None, kind="", values=said)


def _records(address: Address, said: list[dict[str, Any]]) -> Part:
    names = tuple(str(name) for name in said[0])
    if any(tuple(row) != names for row in said):
        raise InvalidError(
            f"'{address.source}' gives other columns for some rows than for others.",
            "Let the model return one data frame with the same columns for all rows.",
        )
    chosen = address.outputs or names
    missing = [name for name in chosen if name not in names]
    if missing:
        raise InvalidError(
            f"'{address.source}' gives no column '{shorten(missing[0], 120)}'.",
            did_you_mean(missing[0], names, f"It gives: {some_values(names)}."),
        )
    values = (
        [row[chosen[0]] for row in said] if len(chosen) == 1 else [[row[n] for n in chosen] for row in said]
    )
    return Part(names=chosen if len(chosen) > 1 else None, kind="", values=values)
