"""``python:package.module:factory``: a model that a function of the project returns."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError, EvaluationError, UnavailableError
from ..spec import SourceContext
from .estimator import EstimatorModel, FunctionModel, from_object
from .identity import Identity
from .wording import nearest, one_line

PREFIX = "python:"


def open_python(source: str, context: SourceContext) -> EstimatorModel | FunctionModel:
    """Import a factory, call it once without arguments, and take what it returns as the model.

    It returns a fitted estimator, any object with ``predict`` (and ``predict_proba``), or a function of
    a data frame. An object that is a model already (it has ``predict``) is taken as it is.

    The digest covers the source file of the factory, the one of the returned object's class, and all of
    the object's state (its pickle); not the modules that those files import. Where the state can't be
    pickled there is no digest, and nothing is kept or compared by it.
    """
    module_name, colon, attribute = source.removeprefix(PREFIX).partition(":")
    if not colon or not all(part.isidentifier() for part in [*module_name.split("."), *attribute.split(".")]):
        raise ConfigurationError(
            f"'{source}' does not name a Python object.",
            "Write python:package.module:factory, for example python:credit.models:build.",
        )
    with importable(context.root):
        factory = _import(module_name, attribute, source, context.root)
        found = (
            factory
            if hasattr(factory, "predict") and not isinstance(factory, type)
            else _call(factory, source)
        )
        digest = _digest(source, factory, found)
    model = from_object(
        Identity(source=source, resolved=_resolved(source, factory, context.root), digest=digest),
        found,
        kind="python",
    )
    if isinstance(model, FunctionModel):
        return replace(model, function=_within(context.root, model.function))
    return model


@contextmanager
def importable(root: str) -> Iterator[None]:
    """Let modules under ``root`` be imported, after everything that ``sys.path`` already offers.

    Last and not first: a file ``types.py`` in somebody's project must not replace the standard library.
    """
    entry = str(Path(root).absolute())
    if entry in sys.path:
        yield
        return
    sys.path.append(entry)
    importlib.invalidate_caches()  # a module that was written since Python last looked must be found too
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)


def _within(root: str, function: Any) -> Any:
    def call(frame: Any) -> Any:
        with importable(root):
            return function(frame)

    return call


def _import(module_name: str, attribute: str, source: str, root: str) -> Any:
    try:
        found = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        if module_name == missing or module_name.startswith(missing + "."):
            raise UnavailableError(
                f"'{source}' cannot be loaded: there is no module '{missing}'.",
                f"Modules are looked for on sys.path and in {Path(root).absolute().as_posix()}.",
            ) from None
        raise UnavailableError(
            f"'{source}' cannot be loaded: {module_name} imports '{missing}', which is not installed.",
            f"Install it into the environment that runs the gate: pip install {missing.partition('.')[0]}",
        ) from None
    except Exception as error:
        raise EvaluationError(
            f"'{source}' cannot be loaded: importing {module_name} failed with {one_line(error)}.",
            f'Run python -c "import {module_name}" to see the whole traceback.',
        ) from error
    owner = module_name
    for name in attribute.split("."):
        if not hasattr(found, name):
            public = [known for known in vars(found) if not known.startswith("_")]
            raise UnavailableError(
                f"'{source}' cannot be loaded: {owner} has no '{name}'.",
                nearest(name, public, "Check the name after the colon."),
            )
        found = getattr(found, name)
        owner = f"{owner}.{name}"
    return found


def _call(factory: Any, source: str) -> Any:
    if not callable(factory):
        raise EvaluationError(
            f"'{source}' is an object of type {type(factory).__name__}, neither a factory nor a model.",
            "Name a function that needs no arguments and returns the model.",
        )
    try:
        return factory()
    except Exception as error:
        raise EvaluationError(
            f"'{source}' failed with {one_line(error)}.",
            "Call it by itself to see the whole traceback.",
        ) from error


def _resolved(source: str, factory: Any, root: str) -> str:
    file = _source_file(factory)
    if file is None:
        return source
    base = Path(root).absolute()
    shown = file.relative_to(base) if file.is_relative_to(base) else file
    return f"{source} in {shown.as_posix()}"


def _source_file(found: Any) -> Path | None:
    holder = found if inspect.isroutine(found) or isinstance(found, type) else type(found)
    module = sys.modules.get(getattr(holder, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    return Path(file).absolute() if file else None


class _Hashing:
    """A file that keeps nothing but the hash of what is written to it."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def write(self, content: Any) -> int:
        self.hash.update(content)
        return len(content)


def _digest(source: str, factory: Any, found: Any) -> str:
    sink = _Hashing()
    sink.write(source.encode())
    for file in dict.fromkeys(file for file in (_source_file(factory), _source_file(found)) if file):
        try:
            sink.write(hashlib.sha256(file.read_bytes()).digest())
        except OSError:
            return ""
    try:
        pickle.Pickler(sink, protocol=5).dump(found)
    except Exception:  # noqa: BLE001 - what can't be pickled says so in many ways, and has no digest
        return ""
    return f"sha256:{sink.hash.hexdigest()}"
