"""``python:package.module:factory``: a model that a function of the project returns."""

from __future__ import annotations

import hashlib
import inspect
import pickle
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EvaluationError
from ..importing import import_object, importable
from ..spec import SourceContext
from ..wording import one_line
from .estimator import FunctionModel, from_object
from .identity import Identity

if TYPE_CHECKING:
    from ..hooks import ModelProtocol

PREFIX = "python:"
_FORM = "python:package.module:factory, for example python:credit.models:build"


def open_python(source: str, context: SourceContext) -> ModelProtocol:
    """Import a factory, call it once without arguments, and take what it returns as the model.

    It returns a fitted estimator, any object with ``predict`` (and ``predict_proba``), or a function of
    a data frame. An object that is a model already (it has ``predict``) is taken as it is.

    The digest covers the source file of the factory, the one of the returned object's class, and all of
    the object's state (its pickle); not the modules that those files import. Where the state can't be
    pickled there is no digest, and nothing is kept or compared by it.
    """
    factory = import_object(source.removeprefix(PREFIX), context.root, source=source, form=_FORM)
    with importable(context.root):
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


def _within(root: str, function: Any) -> Any:
    def call(frame: Any) -> Any:
        with importable(root):
            return function(frame)

    return call


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
