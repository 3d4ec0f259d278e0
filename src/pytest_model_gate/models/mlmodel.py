"""A downloaded MLflow model: read ``MLmodel``, decide what loading it would run, load it by its flavour.

Flavours that hold data (XGBoost, LightGBM, ONNX, skops) are read by our own loaders from the bytes in the
folder; MLflow's would import classes and folders of code that the model names. Everything else runs code
and needs trust.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import EvaluationError, InvalidError
from ..importing import importable
from ..mlflow_calls import DOWNLOAD_LIMITS, calling
from ..spec import SourceContext
from ..wording import one_line, shorten
from .estimator import EstimatorModel, FunctionModel, from_object
from .fixed_code import told_by_bytes
from .identity import Identity
from .known import KnownModel, known_or_loaded
from .packages import missing_code
from .trust import require_trust

if TYPE_CHECKING:
    import pandas as pd

    from ..hooks import ModelProtocol

_AGAIN = "Log the model again, and register that version."


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model, and whether it may still read the files that it came from."""

    model: ModelProtocol
    needs_files: bool


#: How a flavour is loaded: from bytes by our own reader, by skops, or by running code.
Form = Literal["data", "skops", "code"]


@dataclass(frozen=True, slots=True)
class Flavour:
    """What of a model is loaded, and how.

    Parameters
    ----------
    name : str
        ``"xgboost"``, ``"sklearn"``, ``"python_function"``, ...
    form : {"data", "skops", "code"}
        How.
    key : str
        Under which the flavour names its file.
    why : str
        What it is about the model that runs code. Empty: nothing.
    """

    name: str
    form: Form
    key: str = "data"
    why: str = ""


def load_folder(identity: Identity, folder: Path, context: SourceContext) -> Loaded:
    """Load the model in a private folder whose digest is in ``identity``."""
    description = describe(identity, folder)
    flavors: dict[str, Any] = description["flavors"]
    columns, types = _signature(description)
    flavour = chosen(identity, flavors)
    if flavour.form == "data":
        content = data_of(identity, folder, flavors[flavour.name], flavour.key)
        if flavour.name == "onnx":
            from . import onnx

            beside = (folder / str(flavors["onnx"][flavour.key])).parent
            return Loaded(onnx.load(identity, content, beside=beside), False)
        return Loaded(_reader(flavour.name).load(identity, content), False)
    if flavour.form == "skops":
        from . import skops

        content = data_of(identity, folder, flavors[flavour.name], flavour.key)
        found = skops.load(identity, content, context)
        return Loaded(from_object(identity, found, kind=flavour.name, columns=columns, types=types), False)
    said = require_trust(identity, context, flavour.why, lambda: pickles_in(folder), by_value=True)
    if flavour.name == "python_function":
        pyfunc = _by_mlflow(identity, folder, "pyfunc", context)
        return Loaded(_pyfunc_model(identity, pyfunc, columns, types, said), True)
    loaded = _by_mlflow(identity, folder, flavour.name, context)
    model = from_object(identity, loaded, kind=flavour.name, columns=columns, types=types, said=said)
    return Loaded(model, False)


def model_in(identity: Identity, folder: Path, context: SourceContext) -> tuple[ModelProtocol, bool]:
    """Return the model in a private folder, and whether it may still read its files.

    Where all that is asked of it is known, it is loaded later, or never.
    """
    needs_files = False

    def load() -> ModelProtocol:
        nonlocal needs_files
        loaded = load_folder(identity, folder, context)
        needs_files = loaded.needs_files
        return loaded.model

    def fixed() -> bool:
        return is_told_by_bytes(identity, folder, context)

    # Whether MLflow may read pickles is asked while loading, and so a part of how.
    how = f"MLmodel {os.environ.get('MLFLOW_ALLOW_PICKLE_DESERIALIZATION', '')}"
    model = known_or_loaded(identity, how, context, load, fixed=fixed)
    return model, needs_files or isinstance(model, KnownModel)


def is_told_by_bytes(identity: Identity, folder: Path, context: SourceContext) -> bool:
    """Return whether the files and the installed libraries alone determine what the model predicts."""
    flavors: dict[str, Any] = describe(identity, folder)["flavors"]
    flavour = chosen(identity, flavors)
    if flavour.form == "data":
        return True
    if flavour.form == "skops":
        from . import skops

        content = data_of(identity, folder, flavors[flavour.name], flavour.key)
        return not skops.why_untrusted(identity, content)
    pickles = pickles_in(folder)
    return (
        flavour.name != "python_function" and bool(pickles) and told_by_bytes(pickles.values(), context.root)
    )


def _reader(name: str) -> Any:
    from importlib import import_module

    return import_module(f".{name}", __package__)


def chosen(identity: Identity, flavors: dict[str, Any]) -> Flavour:
    """Return which flavour of a model is loaded: data before code, wherever there is a choice.

    Raises
    ------
    EvaluationError
        If rows cannot be given to any.
    """
    for name in ("xgboost", "onnx"):
        if name in flavors:
            return Flavour(name, "data")
    if "catboost" in flavors and flavors["catboost"].get("save_format", "cbm") == "cbm":
        return Flavour("catboost", "data")
    for name, key, default in (
        ("lightgbm", "data", "cloudpickle"),
        ("statsmodels", "data", "pickle"),
        ("sklearn", "pickled_model", "pickle"),
    ):
        if name not in flavors:
            continue
        booster = "lightgbm.basic.Booster"
        if name == "lightgbm" and flavors[name].get("model_class", booster) == booster:
            return Flavour(name, "data", key)
        written = flavors[name].get("serialization_format", default)
        if written == "skops":
            return Flavour(name, "skops", key)
        return Flavour(name, "code", key, f"its {name} flavour is a {written}")
    if "python_function" not in flavors:
        raise EvaluationError(
            f"'{identity.source}' has no flavour that a table of rows can be given to, only "
            f"{', '.join(sorted(flavors)) or 'none'}.",
            "Log it with a python_function flavour, or gate its predictions with predictions:path#column.",
        )
    loader = flavors["python_function"].get("loader_module", "a loader of its own")
    return Flavour("python_function", "code", "", f"it is a python_function of {shorten(str(loader), 80)}")


def pickles_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a model that are pickles, by what they are called or how they begin."""
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as stream:
            begins = stream.read(2)
        protocol = begins[:1] == b"\x80" and begins[1:2] <= b"\x05"
        if file.suffix.lower() in (".pkl", ".pickle", ".joblib") or protocol:
            found[file.relative_to(folder).as_posix()] = file.read_bytes()
    return found


def describe(identity: Identity, folder: Path) -> dict[str, Any]:
    """Return what the file ``MLmodel`` says, with flavours."""
    import yaml

    file = folder / "MLmodel"
    if not file.is_file():
        raise EvaluationError(
            f"'{identity.source}' is no MLflow model: it has no file MLmodel.",
            "Name the folder that log_model wrote.",
        )
    try:
        description = yaml.safe_load(file.read_bytes())
    except (yaml.YAMLError, ValueError):
        description = None
    if not isinstance(description, dict) or not isinstance(description.get("flavors"), dict):
        raise InvalidError(f"The file MLmodel of '{identity.source}' is broken.", _AGAIN)
    return description


def data_of(identity: Identity, folder: Path, flavor: Any, key: str) -> bytes:
    """Return the bytes of the model file that a flavour names, which must lie in the folder."""
    name = flavor.get(key) if isinstance(flavor, dict) else None
    file = folder / str(name)
    # The name comes from the model: it must not lead out of its folder.
    if not name or not file.resolve().is_relative_to(folder.resolve()):
        raise InvalidError(
            f"The file MLmodel of '{identity.source}' names {shorten(repr(name), 80)} as the model's file.",
            _AGAIN,
        )
    if not file.is_file():
        raise InvalidError(
            f"'{identity.source}' is not whole: its file {shorten(str(name), 80)} is missing.", _AGAIN
        )
    return file.read_bytes()


def _signature(description: dict[str, Any]) -> tuple[tuple[str, ...] | None, dict[str, str]]:
    """Return the columns that the signature names, and the types that it states for them."""
    signature = description.get("signature")
    try:
        inputs = json.loads(signature["inputs"]) if isinstance(signature, dict) else []
        typed = [(column.get("name"), column.get("type")) for column in inputs]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None, {}
    if not typed or not all(isinstance(name, str) for name, _ in typed):
        return None, {}
    types = {name: kind for name, kind in typed if isinstance(kind, str)}
    return tuple(name for name, _ in typed), types


def _by_mlflow(identity: Identity, folder: Path, flavor: str, context: SourceContext) -> Any:
    """Let MLflow load what is trusted: it knows about the model's own folders of code."""
    if os.environ.get("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true").strip().lower() in ("false", "0"):
        raise InvalidError(
            f"'{identity.source}' is a pickle, and MLFLOW_ALLOW_PICKLE_DESERIALIZATION is false.",
            "Log it as skops, or allow pickles.",
        )
    from importlib import import_module

    try:
        with calling(DOWNLOAD_LIMITS), importable(context.root):
            return import_module(f"mlflow.{flavor}").load_model(str(folder))
    except (AttributeError, ImportError) as error:
        raise missing_code(error, identity.source) from None
    except Exception as error:  # noqa: BLE001 - loading runs the model's own code
        raise InvalidError(f"'{identity.source}' cannot be loaded: {one_line(error)}.", _AGAIN) from None


def _pyfunc_model(
    identity: Identity, pyfunc: Any, columns: tuple[str, ...] | None, types: dict[str, str], said: str
) -> EstimatorModel | FunctionModel:
    def call(frame: Any) -> Any:
        with calling({}):
            try:
                return pyfunc.predict(_widened(frame, types))
            except Exception as error:
                raise _enforced(error) from error

    return FunctionModel(
        identity=identity,
        kind="python_function",
        columns=columns,
        classes=None,
        function=call,
        keep=pyfunc,
        types=types,
        said=said,
    )


def _widened(frame: pd.DataFrame, types: dict[str, str]) -> pd.DataFrame:
    """Return the rows with whole numbers as float64 where the signature says double.

    That is how signatures are written of columns that may miss a value, and MLflow refuses int64 there. A
    number beyond 2**53 would become another one, so its column is left to MLflow's refusal.
    """
    exact = 2**53
    replaced = {
        name: frame[name].astype("float64")
        for name, kind in types.items()
        if kind == "double"
        and name in frame.columns
        and frame[name].dtype.kind in "iu"
        and len(frame) > 0
        and frame[name].min() >= -exact
        and frame[name].max() <= exact
    }
    return frame.assign(**replaced) if replaced else frame


def _enforced(error: Exception) -> Exception:
    """Return MLflow's error about a signature without the rows that it prints in front of the reason."""
    text = str(error)
    if "Failed to enforce schema" not in text:
        return error
    return ValueError("the rows do not fit the signature: " + text.rpartition("Error: ")[2].splitlines()[0])
