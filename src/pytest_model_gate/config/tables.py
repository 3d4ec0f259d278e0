"""The tables that a user may write, validated by pydantic: which keys exist and what each may hold.

One ``GateTable`` serves the marker's keywords, ``[tool.model_gate.gates.NAME]`` and the defaults in
``[tool.model_gate]``, so a key means the same wherever it is written.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ..data_rules import read_rules
from ..errors import ConfigurationError, did_you_mean
from ..slicing import bins_by_column, bins_of, sliced_by
from ..spec import DriftMethod, SliceSpec, Tolerance
from .measures import percentage, seconds, size
from .shares import rows_or_share


def _ledger(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"file|mlflow|mlflow:\S(.*\S)?", value):
        raise ValueError(f"must be file, mlflow or mlflow:EXPERIMENT, got {value!r}")
    return value


def _several(value: Any) -> Any:
    """Let a single name stand for a list of one."""
    return [value] if isinstance(value, (str, Mapping)) else value


def _per_metric(value: Any) -> Any:
    """Let a single value stand for all metrics."""
    return value if isinstance(value, Mapping) else {"*": value}


def _per_role(value: Any) -> Any:
    """Let a single threshold stand for both models."""
    return value if isinstance(value, Mapping) else {"candidate": value, "production": value}


def _tolerance(value: Any) -> Any:
    if isinstance(value, Tolerance):
        return value
    try:
        return Tolerance.parse(value)
    except ConfigurationError as error:
        raise ValueError(error.what) from None


def _date(value: Any) -> Any:
    # TOML has dates of its own; a quoted one is as good.
    text = value.isoformat() if isinstance(value, datetime.date) else value
    try:
        datetime.date.fromisoformat(text)
    except (TypeError, ValueError):
        raise ValueError(f"must be a date such as 2030-01-31, got {value!r}") from None
    return text


_Text = Annotated[str, Field(min_length=1)]
_Tolerance = Annotated[Any, BeforeValidator(_tolerance)]
_Tolerances = Annotated[dict[_Text, _Tolerance], BeforeValidator(_per_metric)]
_Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
_Numbers = Annotated[dict[_Text, _Number], BeforeValidator(_per_metric)]
_OnInconclusive = Literal["fail", "warn", "pass"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


class SliceTable(_Table):
    """One entry of ``slices``; a plain column name stands for ``{by = "name"}``."""

    by: Annotated[Any, BeforeValidator(sliced_by)]
    bins: Annotated[Any, BeforeValidator(bins_of)] = {}
    metrics: Annotated[list[_Text], BeforeValidator(_several), Field(min_length=1)] | None = None
    max_regression: _Tolerances = {}
    min_rows: Annotated[int, Field(ge=0)] = 0
    min_per_class: Annotated[int, Field(ge=0)] = 0
    on_inconclusive: _OnInconclusive | None = None
    on_undefined: Literal["fail", "warn"] = "fail"

    @model_validator(mode="after")
    def _bins_of_columns(self) -> SliceTable:
        self.bins = bins_by_column(self.bins, SliceSpec(by=self.by).columns)
        return self


class FindSlicesTable(_Table):
    """``find_slices``: ``true`` is the search with its defaults, a list names the columns."""

    columns: Annotated[list[_Text], BeforeValidator(_several), Field(min_length=1)] | None = None
    depth: Annotated[int, Field(ge=1, le=3)] = 2
    min_rows: Annotated[int, Field(ge=20)] = 200
    top: Annotated[int, Field(ge=1, le=50)] = 5
    method: Literal["split", "max-t"] = "split"
    on_found: Literal["warn", "fail"] = "warn"
    metrics: Annotated[list[_Text], BeforeValidator(_several), Field(min_length=1)] | None = None
    max_regression: _Tolerances = {}


def _find_slices(value: Any) -> Any:
    if isinstance(value, (str, list, tuple)):
        return {"columns": value if isinstance(value, str) else list(value)}
    if not isinstance(value, (bool, Mapping)):
        raise ValueError(f"must be true, false, a list of columns or a table, got {value!r}")
    # False turns off what the defaults of the project, or the gate that a marker names, turn on.
    return {} if value is True else value


def _digits(value: Any) -> Any:
    # Not a union: 0 equals False there.
    if value is not False and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 15):
        raise ValueError(f"must be 1 to 15 significant digits, or false, got {value!r}")
    return value


class LeakageTable(_Table):
    """``leakage``: a text is the source of the training data."""

    train: _Text
    key: Annotated[list[_Text], BeforeValidator(_several), Field(min_length=1)] | None = None
    groups: _Text | None = None
    time: _Text | None = None
    near: Annotated[Any, BeforeValidator(_digits)] = 3
    columns: Annotated[list[_Text], BeforeValidator(_several), Field(min_length=1)] | None = None
    ignore: Annotated[list[_Text], BeforeValidator(_several)] = []
    tolerance: Annotated[Any, BeforeValidator(rows_or_share)] = 0
    single_feature: (
        dict[Literal["roc_auc", "r2"], Annotated[_Number, Field(gt=0, lt=1)]] | Literal[False] | None
    ) = None
    severity: Literal["fail", "warn"] = "fail"


class DriftTable(_Table):
    """``drift``: a text is the source of the reference."""

    reference: _Text
    columns: Annotated[list[_Text], BeforeValidator(_several), Field(min_length=1)] | None = None
    ignore: Annotated[list[_Text], BeforeValidator(_several)] = []
    method: Annotated[dict[_Text, DriftMethod], BeforeValidator(_per_metric)] = {}
    threshold: Annotated[dict[_Text, Annotated[_Number, Field(ge=0)]], BeforeValidator(_per_metric)] = {}
    missing_threshold: Annotated[_Number, Field(ge=0, le=1)] = 0.05
    overall: bool = True
    overall_threshold: Annotated[_Number, Field(ge=0.5, lt=1)] = 0.55
    predictions: bool | None = None
    blocks: _Text | None = None
    on_drift: Literal["warn", "fail"] = "warn"
    on_new_levels: Literal["warn", "fail"] | None = None
    on_inconclusive: _OnInconclusive | None = None


class ContractsTable(_Table):
    """``contracts``: all are asked unless they are turned off."""

    determinism: bool = True
    row_independence: bool = True
    signature: bool = True
    tolerance: Annotated[_Number, Field(gt=0, le=0.1)] = 1e-5
    severity: Literal["fail", "warn"] = "fail"


class TimeLimitTable(_Table):
    """A limit of ``operations`` on a time; a number or a text is the most that is allowed."""

    max: Annotated[float, BeforeValidator(seconds), Field(gt=0)] | None = None
    max_regression: Annotated[float, BeforeValidator(percentage), Field(ge=0)] | None = None


class SizeLimitTable(TimeLimitTable):
    """A limit of ``operations`` on a size."""

    max: Annotated[float, BeforeValidator(size), Field(gt=0)] | None = None


def _limit(value: Any) -> Any:
    return value if isinstance(value, Mapping) else {"max": value}


_Size = Annotated[SizeLimitTable, BeforeValidator(_limit)]


class OperationsTable(_Table):
    """``operations``: what a model may cost where it serves."""

    latency_per_row: Annotated[TimeLimitTable, BeforeValidator(_limit)] | None = None
    memory: _Size | None = None
    artifact_size: _Size | None = None
    batch: Annotated[int, Field(ge=1)] = 1000
    severity: Literal["fail", "warn"] = "warn"

    @model_validator(mode="after")
    def _something(self) -> OperationsTable:
        for name in ("latency_per_row", "memory", "artifact_size"):
            limit = getattr(self, name)
            if limit is not None and limit.max is None and limit.max_regression is None:
                raise ValueError(f"{name} needs max or max_regression")
        if self.latency_per_row is self.memory is self.artifact_size is None:
            raise ValueError("must name latency_per_row, memory or artifact_size")
        return self


def _contracts(value: Any) -> Any:
    if not isinstance(value, (bool, Mapping)):
        raise ValueError(f"must be true, false or a table, got {value!r}")
    return {} if value is True else value


def _drift(value: Any) -> Any:
    if not isinstance(value, (str, Mapping)) and value is not False:
        raise ValueError(f"must be a source, a table or false, got {value!r}")
    return {"reference": value} if isinstance(value, str) else value


def _leakage(value: Any) -> Any:
    if not isinstance(value, (str, Mapping)) and value is not False:
        raise ValueError(f"must be a source, a table or false, got {value!r}")
    return {"train": value} if isinstance(value, str) else value


def _slice(value: Any) -> Any:
    return {"by": value} if isinstance(value, str) else value


def _rules(value: Any) -> Any:
    try:
        return read_rules(value)
    except ConfigurationError as error:
        hint = f" ({error.remedy.rstrip('.')})" if error.remedy else ""
        raise ValueError(f"{error.what.rstrip('.')}{hint}") from None


class WaiverTable(_Table):
    """One entry of ``waivers``."""

    gate: _Text
    metric: _Text
    slice: _Text = "all"
    question: Literal["regression", "baseline", "floor"] = "regression"
    reason: _Text
    owner: _Text
    expires: Annotated[str, BeforeValidator(_date)]


class GateTable(_Table):
    """One gate, or a part of one: every key is optional here, what is missing is said after merging."""

    decision: str | None = None
    candidate: _Text | None = None
    candidates: Annotated[list[_Text], Field(min_length=1)] | None = None
    production: _Text | None = None
    baseline: str | None = None
    dataset: _Text | None = None
    target: _Text | None = None
    schema_: Annotated[_Text | None, Field(alias="schema")] = None
    rules: Annotated[Any, BeforeValidator(_rules)] = None
    redact_examples: bool | None = None
    metrics: Annotated[list[_Text], BeforeValidator(_several), Field(min_length=1)] | None = None
    max_regression: _Tolerances | None = None
    min_gain: _Numbers | None = None
    floors: Annotated[dict[_Text, _Number], Field()] | None = None
    slices: (
        Annotated[list[Annotated[SliceTable, BeforeValidator(_slice)]], BeforeValidator(_several)] | None
    ) = None
    find_slices: Annotated[FindSlicesTable | Literal[False], BeforeValidator(_find_slices)] | None = None
    leakage: Annotated[LeakageTable | Literal[False], BeforeValidator(_leakage)] | None = None
    drift: Annotated[DriftTable | Literal[False], BeforeValidator(_drift)] | None = None
    contracts: Annotated[ContractsTable | Literal[False], BeforeValidator(_contracts)] | None = None
    operations: OperationsTable | Literal[False] | None = None
    alpha: Annotated[_Number, Field(gt=0, lt=0.5)] | None = None
    correction: Literal["holm", "max-t"] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None
    on_inconclusive: _OnInconclusive | None = None
    threshold: (
        Annotated[
            dict[Literal["candidate", "production", "baseline"], Annotated[_Number, Field(gt=0, lt=1)]],
            BeforeValidator(_per_role),
        ]
        | None
    ) = None
    pos_label: str | int | float | bool | None = None
    task: Literal["classification", "regression"] | None = None
    sample_weight: _Text | None = None
    groups: _Text | None = None
    strata: _Text | None = None
    query: _Text | None = None
    key: _Text | None = None
    time: _Text | None = None
    drop_missing_target: bool | None = None
    tracking_uri: _Text | None = None
    trusted_sources: Annotated[list[_Text], BeforeValidator(_several)] | None = None
    holdout_budget: Annotated[int, Field(ge=1)] | None = None
    spending: Literal["equal", "decreasing", "adaptive"] | None = None
    feedback: Literal["full", "binary"] | None = None
    ledger: Annotated[Any, BeforeValidator(_ledger)] = None
    cache: bool | None = None


class ProjectTable(GateTable):
    """``[tool.model_gate]``: defaults for every gate, the gates, and the waivers."""

    gates: dict[_Text, dict[str, Any]] = {}
    waivers: list[WaiverTable] = []


#: Keys of a gate as users write them.
GATE_KEYS: tuple[str, ...] = tuple(field.alias or name for name, field in GateTable.model_fields.items())


def read_table(kind: type[_Table], raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the keys that were given, validated.

    Parameters
    ----------
    kind : type
        ``GateTable`` or ``ProjectTable``.
    raw : mapping
        What the user wrote.
    where : str
        File and table, or the marker, for messages.

    Raises
    ------
    ConfigurationError
        Names the place and the first wrong key, and suggests the nearest known one.
    """
    try:
        table = kind.model_validate(dict(_listed(raw)))
    except ValidationError as error:
        raise _explained(error, kind, where) from None
    return {kind.model_fields[name].alias or name: getattr(table, name) for name in table.model_fields_set}


def _listed(raw: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Let markers say tuples and sets where TOML says arrays, and "schema" by its alias."""
    for key, value in raw.items():
        yield key, list(value) if isinstance(value, (tuple, set, frozenset)) else value


#: How pydantic's kinds of errors read to somebody who writes a marker or a TOML file.
_WORDS = {
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a name or a table",
    "finite_number": "must be a finite number",
}
_LIMITS = ("TimeLimitTable", "SizeLimitTable")
#: Names that pydantic puts into the path of an error and no user wrote.
_TABLES = ("FindSlicesTable", "LeakageTable", "DriftTable", "ContractsTable", "OperationsTable", *_LIMITS)
_NOT_WRITTEN = ("function-", "list[", "dict[", "[key]", "*", "literal[", *_TABLES)


def _explained(error: ValidationError, kind: type[_Table], where: str) -> ConfigurationError:
    details = sorted(error.errors(include_url=False), key=lambda item: item["type"] != "extra_forbidden")
    first = details[0]
    path = [str(part) for part in first["loc"] if not str(part).startswith(_NOT_WRITTEN)]
    if path[:1] == ["pos_label"]:  # a union: what follows are the types that were tried
        return ConfigurationError(
            f"{where}: pos_label: must be a string, a number, true or false, got {_short(first['input'])}."
        )
    key = ".".join(path)
    if first["type"] == "extra_forbidden":
        return ConfigurationError(
            f"{where}: unknown key {key!r}.", did_you_mean(path[-1], _known(kind, path[:-1]))
        )
    if first["type"] == "missing":
        return ConfigurationError(f"{where}: the key {key!r} is missing.", f"Add {path[-1]} = ...")
    message = _WORDS.get(first["type"], first["msg"].replace("Input should be", "must be"))
    if first["type"] == "value_error":  # our own words, which say what came
        said = first["msg"].removeprefix("Value error, ").removeprefix(f"{path[0]} ").rstrip(".")
    else:
        said = f"{message}, got {_short(first['input'])}"
    return ConfigurationError(f"{where}: {key}: {said}.")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _known(kind: type[_Table], path: list[str]) -> tuple[str, ...]:
    if "find_slices" in path:
        return tuple(FindSlicesTable.model_fields)
    if "operations" in path:
        return tuple((TimeLimitTable if len(path) > 1 else OperationsTable).model_fields)
    if "contracts" in path:
        return tuple(ContractsTable.model_fields)
    if "drift" in path:
        return tuple(DriftTable.model_fields)
    if "leakage" in path:
        return tuple(LeakageTable.model_fields)
    if "slices" in path:
        return tuple(SliceTable.model_fields)
    if "waivers" in path:
        return tuple(WaiverTable.model_fields)
    return tuple(field.alias or name for name, field in kind.model_fields.items())
