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
from typing import TYPE_CHECKING, Any

from ..errors import EvaluationError, InvalidError
from ..importing import importable
from ..mlflow_calls import DOWNLOAD_LIMITS, calling
from ..spec import SourceContext
from ..wording import one_line, shorten
from .estimator import EstimatorModel, FunctionModel, from_object
from .identity import Identity
from .packages import missing_package
from .trust import require_trust

if TYPE_CHECKING:
    from ..hooks import ModelProtocol

_AGAIN = "Log the model again, and register that version."


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model, and whether it may still read the files that it came from."""

    model: ModelProtocol
    needs_files: bool


def load_folder(identity: Identity, folder: Path, context: SourceContext) -> Loaded:
    """Load the model in a private folder whose digest is in ``identity``."""
    description = _describe(identity, folder)
    flavors: dict[str, Any] = description["flavors"]
    columns, types = _signature(description)
    if "xgboost" in flavors:
        from . import xgboost

        return Loaded(xgboost.load(identity, _data(identity, folder, flavors["xgboost"], "data")), False)
    if "onnx" in flavors:
        from . import onnx

        return Loaded(onnx.load(identity, _data(identity, folder, flavors["onnx"], "data")), False)
    if "catboost" in flavors and flavors["catboost"].get("save_format", "cbm") == "cbm":
        from . import catboost

        return Loaded(catboost.load(identity, _data(identity, folder, flavors["catboost"], "data")), False)
    for name, key, default in (
        ("lightgbm", "data", "cloudpickle"),
        ("statsmodels", "data", "pickle"),
        ("sklearn", "pickled_model", "pickle"),
    ):
        if name not in flavors:
            continue
        flavor = flavors[name]
        if (
            name == "lightgbm"
            and flavor.get("model_class", "lightgbm.basic.Booster") == "lightgbm.basic.Booster"
        ):
            from . import lightgbm

            return Loaded(lightgbm.load(identity, _data(identity, folder, flavor, key)), False)
        if flavor.get("serialization_format", default) == "skops":
            from . import skops

            found = skops.load(identity, _data(identity, folder, flavor, key), context)
            return Loaded(from_object(identity, found, kind=name, columns=columns, types=types), False)
        require_trust(
            identity, context, f"its {name} flavour is a {flavor.get('serialization_format', default)}"
        )
        loaded = _by_mlflow(identity, folder, name, context)
        return Loaded(from_object(identity, loaded, kind=name, columns=columns, types=types), False)
    if "python_function" not in flavors:
        raise EvaluationError(
            f"'{identity.source}' has no flavour that a table of rows can be given to, only "
            f"{', '.join(sorted(flavors)) or 'none'}.",
            "Log it with a python_function flavour, or gate its predictions with predictions:path#column.",
        )
    loader = flavors["python_function"].get("loader_module", "a loader of its own")
    require_trust(identity, context, f"it is a python_function of {shorten(str(loader), 80)}")
    pyfunc = _by_mlflow(identity, folder, "pyfunc", context)
    return Loaded(_pyfunc_model(identity, pyfunc, columns, types), True)


def _describe(identity: Identity, folder: Path) -> dict[str, Any]:
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


def _data(identity: Identity, folder: Path, flavor: Any, key: str) -> bytes:
    """Return the bytes of the model file that a flavour names."""
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
    except ModuleNotFoundError as error:
        raise missing_package(error.name or "an unknown package", identity.source) from None
    except (AttributeError, ImportError) as error:
        raise EvaluationError(
            f"'{identity.source}' needs code that is not there: {one_line(error)}.",
            "Run the gate with the code and the package versions that the model was trained with.",
        ) from None
    except Exception as error:  # noqa: BLE001 - loading runs the model's own code
        raise InvalidError(f"'{identity.source}' cannot be loaded: {one_line(error)}.", _AGAIN) from None


def _pyfunc_model(
    identity: Identity, pyfunc: Any, columns: tuple[str, ...] | None, types: dict[str, str]
) -> EstimatorModel | FunctionModel:
    def call(frame: Any) -> Any:
        with calling({}):
            try:
                return pyfunc.predict(frame)
            except Exception as error:
                raise _enforced(error) from error

    return FunctionModel(
        source=identity.source,
        resolved=identity.resolved,
        digest=identity.digest,
        kind="python_function",
        columns=columns,
        classes=None,
        function=call,
        keep=pyfunc,
        types=types,
    )


def _enforced(error: Exception) -> Exception:
    """Return MLflow's error about a signature without the rows that it prints in front of the reason."""
    text = str(error)
    if "Failed to enforce schema" not in text:
        return error
    return ValueError("the rows do not fit the signature: " + text.rpartition("Error: ")[2].splitlines()[0])
