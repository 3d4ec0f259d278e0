"""Which files are read, and every way in which they can be wrong, with the whole message."""

from __future__ import annotations

import pytest

from pytest_model_gate.config.declared import declared_gates, speaks_of_gates
from pytest_model_gate.config.files import read_project
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.spec import Waiver

WAIVER = "[[waivers]]\ngate = 'a'\nmetric = 'm'\nreason = 'r'\nowner = 'o'\nexpires = {expires}\n"

WRONG = {
    "no TOML": (
        "model_gate.toml",
        "x = [",
        "model_gate.toml cannot be read as TOML: Invalid value (at end of document).\n  Correct that line.",
    ),
    "pyproject is no TOML": (
        "pyproject.toml",
        "model_gate = [",
        "pyproject.toml cannot be read as TOML: Invalid value (at end of document).\n  Correct that line.",
    ),
    "unknown table": (
        "model_gate.toml",
        "[gate.a]\n",
        "model_gate.toml: unknown key 'gate'.\n  Did you mean 'gates'?",
    ),
    "unknown key of a gate": (
        "model_gate.toml",
        "[gates.a]\ncandidat = 'x'\n",
        "model_gate.toml [gates.a]: unknown key 'candidat'.\n  Did you mean 'candidate'?",
    ),
    "unknown key of a gate in pyproject": (
        "pyproject.toml",
        "[tool.model_gate.gates.a]\ncandidat = 'x'\n",
        "pyproject.toml [tool.model_gate.gates.a]: unknown key 'candidat'.\n  Did you mean 'candidate'?",
    ),
    "the tool is no table": (
        "pyproject.toml",
        "[tool]\nmodel_gate = 3\n",
        "pyproject.toml [tool.model_gate] must be a table, got int.",
    ),
    "gates is no table": (
        "pyproject.toml",
        "[tool.model_gate]\ngates = 3\n",
        "pyproject.toml [tool.model_gate]: gates: must be a table, got 3.",
    ),
    "a gate is no table": (
        "model_gate.toml",
        "[gates]\na = 3\n",
        "model_gate.toml: gates.a: must be a table, got 3.",
    ),
    "a wrong default": (
        "model_gate.toml",
        "alpha = 2\n",
        "model_gate.toml: alpha: must be less than 0.5, got 2.",
    ),
    "waivers are no list": (
        "model_gate.toml",
        "waivers = 3\n",
        "model_gate.toml: waivers: must be a list, got 3.",
    ),
    "a waiver lacks something": (
        "model_gate.toml",
        "[[waivers]]\ngate = 'a'\n",
        "model_gate.toml: the key 'waivers.0.metric' is missing.\n  Add metric = ...",
    ),
    "a waiver has no date": (
        "model_gate.toml",
        WAIVER.format(expires="'soon'"),
        "model_gate.toml: waivers.0.expires: must be a date such as 2030-01-31, got 'soon'.",
    ),
    "a waiver is for no question": (
        "model_gate.toml",
        WAIVER.format(expires="2030-01-31") + "question = 'ceiling'\n",
        "model_gate.toml: waivers.0.question: must be 'regression', 'baseline' or 'floor', got 'ceiling'.",
    ),
    "a waiver says too much": (
        "model_gate.toml",
        WAIVER.format(expires="2030-01-31") + "until = 1\n",
        "model_gate.toml: unknown key 'waivers.0.until'.\n"
        "  Known: expires, gate, metric, owner, question, reason, slice.",
    ),
}


@pytest.mark.parametrize(("file", "text", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_file(tmp_path, file, text, message):
    (tmp_path / file).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_project(tmp_path)
    assert str(caught.value) == message


def test_two_files_that_both_speak(tmp_path):
    (tmp_path / "model_gate.toml").write_text("[gates.a]\n")
    (tmp_path / "pyproject.toml").write_text("[tool.model_gate]\n")
    with pytest.raises(ConfigurationError) as caught:
        read_project(tmp_path)
    assert str(caught.value) == (
        "Gates are configured in model_gate.toml and in pyproject.toml [tool.model_gate].\n"
        "  Keep one of the two."
    )


@pytest.mark.parametrize("expires", ["2030-01-31", "'2030-01-31'"])
def test_a_waiver(tmp_path, expires):
    (tmp_path / "model_gate.toml").write_text(WAIVER.format(expires=expires))
    assert read_project(tmp_path).waivers == (
        Waiver(gate="a", metric="m", slice="all", reason="r", owner="o", expires="2030-01-31"),
    )


@pytest.mark.parametrize(
    ("file", "text", "speaks", "gates"),
    [
        ("setup.cfg", "model_gate", False, ()),
        ("pyproject.toml", "[project]\nname = 'x'\n", False, ()),
        ("pyproject.toml", "tool = 3\n", False, ()),
        ("pyproject.toml", "[tool.model_gate.gates.a]\n[tool.model_gate.gates.b]\n", True, ("a", "b")),
        ("pyproject.toml", "dependencies = ['pytest_model_gate']\n", True, ()),
        ("pyproject.toml", "model_gate = [", True, ()),
        ("model_gate.toml", "[gates.a]\n", True, ("a",)),
        ("model_gate.toml", "gates = 3\n", True, ()),
        ("model_gate.toml", "", True, ()),
    ],
)
def test_the_cheap_look(tmp_path, file, text, speaks, gates):
    """It never raises: whoever needs the gates reads and validates the files."""
    (tmp_path / file).write_text(text)
    assert speaks_of_gates(tmp_path) is speaks
    assert declared_gates(tmp_path) == gates


def test_a_project_without_files(tmp_path):
    project = read_project(tmp_path)
    assert (project.file, dict(project.gates), project.waivers) == ("", {}, ())
    assert not speaks_of_gates(tmp_path)
