"""Imports point down, rooms keep to their own third parties, and the checker really finds what it forbids."""

from __future__ import annotations

import pytest

import check_layers


def test_this_package_keeps_the_rules(root):
    assert check_layers.violations(root / "src") == []


@pytest.fixture
def house(tmp_path):
    """A package with one empty module in every room; returns a function that plants code in it."""
    source = tmp_path / "src"
    package = source / check_layers.PACKAGE
    package.mkdir(parents=True)
    for row in check_layers.ROWS[1:4]:
        for room in row:
            (package / room).mkdir()
            (package / room / "__init__.py").touch()
            (package / room / "one.py").touch()
    for name in (*check_layers.FLOOR, "__init__", "__main__"):
        (package / f"{name}.py").touch()

    def plant(where: str, code: str) -> list[str]:
        (package / where).parent.mkdir(exist_ok=True)
        (package / where).write_text(code, encoding="utf-8")
        return [text.removeprefix(f"src/{check_layers.PACKAGE}/") for text in check_layers.violations(source)]

    return plant


LAZILY = "def work():\n    {}\n"
TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {}\n"


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("stats/one.py", "import numpy as np\nfrom ..results import Verdict\n"),
        ("stats/one.py", LAZILY.format("from scipy.special import stdtr")),
        ("gate/one.py", "from ..data import one\nfrom ..metrics.one import f\nfrom . import rows\n"),
        ("cli/one.py", LAZILY.format("from ..gate.one import f")),
        ("plugin/one.py", "import pytest\nfrom ..spec import GateSpec\n"),
        ("plugin/one.py", LAZILY.format("from ..gate import one")),
        ("policy.py", "import math\nfrom .results import Verdict\n"),
        ("models/one.py", TYPES.format("import numpy as np\n    import pandas as pd")),
        ("__init__.py", LAZILY.format("from .gate.one import f")),
        ("__main__.py", "from .cli.one import main\n"),
    ],
)
def test_what_is_allowed(house, where, code):
    assert house(where, code) == []


@pytest.mark.parametrize(
    ("where", "code", "violation"),
    [
        (
            "stats/one.py",
            "from ..metrics.one import f\n",
            "stats/one.py:1: stats may not import metrics: siblings do not know each other",
        ),
        (
            "data/one.py",
            LAZILY.format("from ..models import one"),
            "data/one.py:2: data may not import models: siblings do not know each other",
        ),
        (
            "report/one.py",
            "from pytest_model_gate.gate.one import f\n",
            "report/one.py:1: report may not import gate: siblings do not know each other",
        ),
        (
            "metrics/one.py",
            "from ..gate import one\n",
            "metrics/one.py:1: metrics may not import gate: imports point down",
        ),
        (
            "results.py",
            TYPES.format("from .stats.one import f"),
            "results.py:3: results may not import stats: imports point down",
        ),
        (
            "stats/one.py",
            LAZILY.format("import_module('..cli.one', __package__)"),
            "stats/one.py:2: stats may not import cli: imports point down",
        ),
        (
            "gate/one.py",
            "from .. import compare\n",
            "gate/one.py:1: gate may not import the package itself: import the module that is meant",
        ),
        ("results.py", "import numpy\n", "results.py:1: results may not import numpy"),
        ("stats/one.py", LAZILY.format("import pandas"), "stats/one.py:2: stats may not import pandas"),
        (
            "models/one.py",
            "import mlflow\n",
            "models/one.py:1: models may import mlflow only inside a function",
        ),
        (
            "models/one.py",
            "class Model:\n    import mlflow\n",
            "models/one.py:2: models may import mlflow only inside a function",
        ),
        (
            "hooks.py",
            LAZILY.format("import pandas"),
            "hooks.py:2: hooks may import pandas only under TYPE_CHECKING",
        ),
        (
            "stats/one.py",
            LAZILY.format("from scipy import stats"),
            "stats/one.py:2: scipy.stats is imported nowhere in this package",
        ),
        (
            "models/one.py",
            LAZILY.format("from sklearn.metrics import log_loss"),
            "models/one.py:2: sklearn.metrics is imported nowhere in this package",
        ),
        (
            "attic/one.py",
            "",
            "attic/one.py:1: the room attic is in no row; add it to ROWS and THIRD_PARTY",
        ),
    ],
)
def test_what_is_found(house, where, code, violation):
    assert house(where, code) == [violation]


def test_what_the_entry_module_drags_along_is_found_through_every_module_between(house):
    house("plugin/__init__.py", "from .one import f\n")
    house("config/one.py", "import pydantic\n")
    assert house("plugin/one.py", "from ..config import one\n") == [
        "pytest_model_gate.config.one:1: pydantic would be imported at pytest's start",
        "pytest_model_gate.plugin.one:1: pytest_model_gate.config.one would be imported at pytest's start",
    ]


def test_a_tree_without_the_package_does_not_pass(tmp_path):
    assert check_layers.violations(tmp_path) == [f"{tmp_path}: there is no package pytest_model_gate"]
