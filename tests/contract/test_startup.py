"""A suite without gates pays for none: nothing heavy is imported in a whole run of pytest."""

from __future__ import annotations

import json

import pytest

#: What gates may need. Whoever runs none must not wait for it.
HEAVY = {
    "alembic",
    "joblib",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "numpy",
    "onnxruntime",
    "pandas",
    "pandera",
    "pyarrow",
    "pydantic",
    "scipy",
    "sklearn",
    "skops",
    "sqlalchemy",
    "statsmodels",
    "tabulate",
    "xgboost",
    "yaml",
}

CONFTEST = """
import json, os, pathlib, sys

def pytest_unconfigure(config):
    here = pathlib.Path(__file__).parent
    (here / f"modules-{os.getpid()}.json").write_text(json.dumps(sorted(sys.modules)))
"""

#: Typeguard and the like come with our dependencies and are plugins themselves: only ours is loaded.
ALONE = ("-p", "pytest_model_gate.plugin", "-p", "no:cacheprovider", "-q")


@pytest.fixture
def project(tmp_path, clean_environment, monkeypatch):
    """An empty project, and the only plugins in it are the ones that a test names."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    clean_environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_one.py").write_text("def test_one():\n    pass\n")
    (tmp_path / "test_two.py").write_text("def test_two():\n    pass\n")
    return tmp_path


def loaded(project):
    """What each process of the run had imported at its end."""
    return [set(json.loads(file.read_text())) for file in sorted(project.glob("modules-*.json"))]


@pytest.mark.parametrize(("extra", "processes"), [((), 1), (("-p", "xdist.plugin", "-n", "2"), 3)])
def test_nothing_heavy_in_a_run_without_gates(project, run, extra, processes):
    if extra:
        pytest.importorskip("xdist")
    run("-m", "pytest", *ALONE, *extra, cwd=project)
    found = loaded(project)
    assert len(found) == processes
    for modules in found:
        assert "pytest_model_gate.plugin" in modules  # else the plugin did not even start
        assert {name.partition(".")[0] for name in modules} & HEAVY == set()


def test_nothing_heavy_where_gates_are_declared_but_not_run(project, run):
    (project / "pyproject.toml").write_text(
        '[tool.model_gate.gates.credit]\ncandidate = "a.skops"\nproduction = "b.skops"\n'
        'dataset = "c.parquet"\ntarget = "y"\nmetrics = ["accuracy"]\n'
    )
    (project / "test_gate.py").write_text(
        "import pytest\n\n@pytest.mark.model_gate('credit')\ndef test_gate():\n    pass\n"
    )
    run("-m", "pytest", *ALONE, "-k", "test_one", cwd=project)
    (modules,) = loaded(project)
    heavy = HEAVY - {"pydantic"}  # the configuration is read, so it is validated
    assert {name.partition(".")[0] for name in modules} & heavy == set()


def test_the_check_sees_a_heavy_import(project, run):
    (project / "test_two.py").write_text("import numpy\n\ndef test_two():\n    pass\n")
    run("-m", "pytest", *ALONE, cwd=project)
    (modules,) = loaded(project)
    assert {name.partition(".")[0] for name in modules} & HEAVY == {"numpy"}
