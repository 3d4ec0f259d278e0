"""The marks of one test in, the gate's name and keys out."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import pytest

from ..errors import ConfigurationError
from .session import MARK

USE = "Write @pytest.mark.model_gate('name') or @pytest.mark.model_gate(candidate=..., production=..., ...)."


class Asked(NamedTuple):
    """What the marks of a test say."""

    name: str | None  #: the declared gate
    keys: dict[str, Any]
    default_name: str  #: what to call a gate that only the marks describe


def read_marks(item: pytest.Item) -> Asked:
    """Merge the marks of a test: an inner mark's keywords go before an outer one's.

    Raises
    ------
    ConfigurationError
        For marks that contradict each other, wrong arguments, and tests that cannot be a gate.
    """
    _refuse_impossible(item)
    parameters = getattr(getattr(item, "callspec", None), "marks", ())
    name: str | None = None
    keys: dict[str, Any] = {}
    holder = ""
    # From the outside in: package, module, class, function, parameter.
    layers: dict[tuple[str, bool], list[pytest.Mark]] = {}
    for node, mark in item.iter_markers_with_node(MARK):
        of_parameter = node is item and mark in parameters
        if node is item and not of_parameter:
            place = getattr(item, "originalname", None) or item.name
        else:
            place = node.name
        layers.setdefault((place, of_parameter), []).append(mark)
    inside_out = sorted(layers, key=lambda layer: not layer[1])  # a parameter is the innermost
    for layer in reversed(inside_out):
        here: dict[str, Any] = {}
        for mark in layers[layer]:
            name = _named(mark, name)
            for key, value in mark.kwargs.items():
                if key in here and here[key] != value:
                    raise ConfigurationError(
                        f"two model_gate marks on {layer[0]} give {key!r}: {here[key]!r} and {value!r}.",
                        "Keep one of them.",
                    )
                here[key] = value
        keys.update(here)
        holder = layer[0]
    return Asked(name, keys, holder)


def _named(mark: pytest.Mark, name: str | None) -> str | None:
    """Return the gate's name after one more mark."""
    if len(mark.args) > 1:
        raise ConfigurationError(
            f"model_gate takes one name, got {len(mark.args)} positional arguments: "
            f"{', '.join(map(repr, mark.args))}.",
            USE,
        )
    if not mark.args:
        return name
    (given,) = mark.args
    if not isinstance(given, str):
        raise ConfigurationError(
            f"model_gate takes the name of a gate, a string, got {type(given).__name__} {given!r}.", USE
        )
    if name is not None and given != name:
        raise ConfigurationError(
            f"one test has two gates: model_gate({name!r}) and model_gate({given!r}).",
            "Write one test for each gate.",
        )
    return given


def _refuse_impossible(item: pytest.Item) -> None:
    unittest = sys.modules.get("unittest")
    owner = getattr(item, "cls", None)
    if unittest is not None and isinstance(owner, type) and issubclass(owner, unittest.TestCase):
        raise ConfigurationError(
            f"{owner.__name__} is a unittest.TestCase, and pytest does not let a plugin judge its tests.",
            "Write the gate as a function, or as a class without a base class.",
        )
    if item.get_closest_marker("xfail") is not None:
        raise ConfigurationError(
            "a model gate cannot be marked xfail: a regression that is expected is still shipped.",
            "Use a waiver, with an owner and a date: [[tool.model_gate.waivers]].",
        )
