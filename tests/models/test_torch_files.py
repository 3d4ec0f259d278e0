"""PyTorch's files: what comes back predicts as the module in memory, and what is no program is refused."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import json
import os
import pickle
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.errors import EvaluationError, InvalidError, UntrustedError
from pytest_model_gate.models.contract import check_predictions
from pytest_model_gate.models.scoring import score

pytestmark = pytest.mark.torch
if "EXPECT_TORCH" in os.environ:  # its own environment must not pass without having run anything
    import torch
else:
    torch = pytest.importorskip("torch", "2.8")

COLUMNS = ["a", "b", "c"]
TRUST = {"trusted_sources": ("*.pt2", "*.pt")}


def network(outputs=1, *last):
    torch.manual_seed(1)
    return torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, outputs), *last
    ).eval()


def export(module, path, said=None, rows=None, example=None, **dynamic):
    example = torch.zeros(rows or 5, 3) if example is None else example
    shapes = None if rows else ({0: torch.export.Dim("rows", **dynamic)},)
    program = torch.export.export(module, (example,), dynamic_shapes=shapes)
    extra = {} if said is None else {"model-gate.json": said if isinstance(said, str) else json.dumps(said)}
    torch.export.save(program, path, extra_files=extra)


def script(module, path, said=None, example=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        traced = torch.jit.trace(module, torch.zeros(5, 3) if example is None else example)
        torch.jit.save(
            traced, path, _extra_files={} if said is None else {"model-gate.json": json.dumps(said)}
        )


def in_memory(module, rows):
    with torch.inference_mode():
        return module(torch.tensor(rows.to_numpy("float32"))).numpy().astype(float)


WRITERS = pytest.mark.parametrize(("write", "file"), [(export, "m.pt2"), (script, "m.pt"), (script, "m.pt2")])


@WRITERS
def test_probabilities_of_one_column(data, load, tmp_path, write, file):
    module = network(1, torch.nn.Sigmoid())
    write(module, tmp_path / file, {"columns": COLUMNS, "classes": [0, 1], "output": "probability"})
    model = load(file, **TRUST)
    assert (model.columns, model.classes) == (("a", "b", "c"), (0, 1))
    assert model.kind == ("torch.export" if write is export else "torchscript")
    scored = score(model, [data.rows[:70], data.rows[70:]], {"label", "probability"})
    truth = in_memory(module, data.numbers).reshape(-1)
    np.testing.assert_allclose(scored.probability, truth, rtol=1e-6)
    np.testing.assert_array_equal(scored.labels, (truth > 0.5).astype(int))
    assert check_predictions("candidate", scored, rows=200, model_classes=(0, 1), data_classes=(0, 1)) == []


@WRITERS
@pytest.mark.parametrize("outputs", [1, 3])
def test_logits_become_probabilities(data, load, tmp_path, write, file, outputs):
    module = network(outputs)
    write(module, tmp_path / file, {"columns": COLUMNS, "output": "logit"})
    model = load(file, **TRUST)
    truth = torch.from_numpy(in_memory(module, data.numbers))
    truth = torch.sigmoid(truth)[:, 0] if outputs == 1 else torch.softmax(truth, 1)
    np.testing.assert_allclose(model.predict(data.numbers, "probability"), truth.numpy(), rtol=1e-6)
    assert model.predict(data.numbers, "value") is None
    assert (model.predict(data.numbers, "score") is None) == (outputs == 3)


def test_rows_that_are_float32_already(data, load, tmp_path):
    module, rows = network(), data.numbers.astype("float32")
    export(module, tmp_path / "m.pt2", {"columns": COLUMNS, "output": "value"})
    said = load("m.pt2", **TRUST).predict(rows, "value")
    np.testing.assert_allclose(said, in_memory(module, rows)[:, 0], rtol=1e-6)


def test_logits_of_any_size_are_no_overflow(load, tmp_path):
    export(torch.nn.Identity(), tmp_path / "m.pt2", {"columns": COLUMNS, "output": "logit"})
    rows = pd.DataFrame([[1e30, -1e30, 0.0], [-1e30, -1e30, -1e30]], columns=COLUMNS)
    said = load("m.pt2", **TRUST).predict(rows, "probability")
    np.testing.assert_array_equal(said, [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])


def test_values_of_float64(data, load, tmp_path):
    module = network().double()
    export(module, tmp_path / "m.pt2", {"output": "value"}, example=torch.zeros(5, 3, dtype=torch.float64))
    model = load("m.pt2", **TRUST)
    assert model.columns is None
    with torch.inference_mode():
        truth = module(torch.tensor(data.numbers.to_numpy())).numpy()[:, 0]
    np.testing.assert_array_equal(model.predict(data.numbers, "value"), truth)
    assert model.predict(data.numbers, "probability") is None


@pytest.mark.parametrize("frozen", [{"rows": 1}, {"rows": 7}, {"rows": 64}, {"min": 3, "max": 9}], ids=str)
def test_a_program_for_batches_of_a_size_gets_batches_of_that_size(data, load, tmp_path, frozen):
    module = network()
    export(module, tmp_path / "m.pt2", {"columns": COLUMNS, "output": "value"}, **frozen)
    model = load("m.pt2", **TRUST)
    truth = in_memory(module, data.numbers)[:, 0]
    np.testing.assert_allclose(model.predict(data.numbers, "value"), truth, rtol=1e-6)
    np.testing.assert_allclose(model.predict(data.numbers[:1], "value"), truth[:1], rtol=1e-6)


@WRITERS
def test_without_trust_nothing_is_read(load, tmp_path, write, file):
    write(network(), tmp_path / file)
    with pytest.raises(UntrustedError) as error:
        load(file)
    assert (
        error.value.what
        == f"'{file}' is not trusted: it is a program of PyTorch, and loading it would run any code that is in it."
    )


class Malicious:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (self.mark,))


@pytest.mark.parametrize("write", [export, script])
def test_a_pickle_in_the_archive_never_runs(load, tmp_path, write):
    file, mark = ("m.pt2" if write is export else "m.pt"), tmp_path / "ran"
    write(network(), tmp_path / "good")
    with zipfile.ZipFile(tmp_path / "good") as good, zipfile.ZipFile(tmp_path / file, "w") as bad:
        for name in good.namelist():
            swap = name.endswith((".pkl", "weight_0", "sample_inputs/model.pt"))
            bad.writestr(name, pickle.dumps(Malicious(str(mark))) if swap else good.read(name))
    with pytest.raises(UntrustedError):
        load(file)
    assert not mark.exists()


def test_a_pin_is_enough(data, load, tmp_path):
    from pytest_model_gate.models.identity import sha256

    export(network(), tmp_path / "m.pt2", {"columns": COLUMNS})
    digest = sha256((tmp_path / "m.pt2").read_bytes())
    assert load("m.pt2", pinned_models={"m.pt2": digest}).digest == digest


def said(load, file):
    with pytest.raises((InvalidError, EvaluationError)) as error:
        load(file, **TRUST)
    return str(error.value)


def test_weights_and_pickled_modules_are_no_programs(load, tmp_path):
    for content in (network().state_dict(), network()):
        torch.save(content, tmp_path / "m.pt")
        assert said(load, "m.pt") == (
            "'m.pt' holds weights or a pickled module, and no program that could be run.\n"
            "  Save the program: torch.export.save(torch.export.export(module, (rows,), dynamic_shapes=({0: torch.export.Dim('rows')},)), 'model.pt2'); or return the module from a python: factory."
        )


def test_a_program_of_an_old_version(load, tmp_path):
    with zipfile.ZipFile(tmp_path / "m.pt2", "w") as old:
        old.writestr("serialized_exported_program.json", "{}")
    assert said(load, "m.pt2") == (
        "'m.pt2' was exported by a PyTorch before 2.8, in a format that it has left.\n"
        "  Export it again with PyTorch 2.8 or newer."
    )


def test_a_broken_archive(load, tmp_path):
    export(network(), tmp_path / "m.pt2")
    content = (tmp_path / "m.pt2").read_bytes()
    (tmp_path / "cut.pt2").write_bytes(content[: len(content) // 2])
    assert said(load, "cut.pt2") == (
        "'cut.pt2' is no whole archive of PyTorch.\n"
        "  Write it again with torch.export.save(program, 'model.pt2')."
    )
    with zipfile.ZipFile(tmp_path / "m.pt2") as good, zipfile.ZipFile(tmp_path / "no.pt2", "w") as bad:
        for name in good.namelist():
            bad.writestr(name, b"{}" if name.endswith("models/model.json") else good.read(name))
    assert said(load, "no.pt2").startswith(f"PyTorch {torch.__version__} cannot read 'no.pt2': ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "is no JSON object"),
        ("{", "is no JSON object"),
        ('{"column": ["a"]}', "has the key 'column'"),
        ('{"columns": "abc"}', "has columns that are no list of different names"),
        ('{"classes": [0, 0]}', "has classes that are no list of different names"),
        ('{"output": "odds"}', "has the output 'odds'"),
    ],
)
def test_what_the_file_in_the_archive_says_is_checked(load, tmp_path, text, problem):
    export(network(), tmp_path / "m.pt2", text)
    assert said(load, "m.pt2") == (
        f"model-gate.json in 'm.pt2' {problem}.\n"
        "  It may have columns and classes, each a list, and output, one of probability, logit, value."
    )


def test_another_number_of_columns(data, load, tmp_path):
    export(network(), tmp_path / "m.pt2", {"columns": ["a", "b"]})
    assert said(load, "m.pt2") == (
        "'m.pt2' takes 3 columns, and model-gate.json in it names 2: 'a', 'b'.\n"
        "  Save it again with the columns that it takes, in their order."
    )
    export(network(), tmp_path / "m.pt2")
    with pytest.raises(EvaluationError) as error:
        load("m.pt2", **TRUST).predict(data.rows, "probability")
    assert str(error.value) == (
        "'m.pt2' takes 3 columns and does not name them; the dataset offers 4: 'a', 'b', 'c', 'place'.\n"
        "  Save it with their names: extra_files={'model-gate.json': json.dumps({'columns': [...]})}."
    )


def test_text_is_no_tensor(data, load, tmp_path):
    export(network(), tmp_path / "m.pt2", {"columns": ["a", "b", "place"]})
    with pytest.raises(InvalidError) as error:
        load("m.pt2", **TRUST).predict(data.rows[["a", "b", "place"]], "probability")
    assert str(error.value) == (
        "'m.pt2' takes a tensor of numbers, and the dataset has 'place: str' there.\n"
        "  Encode them within the program, or return the model from a python: factory that does."
    )


class Two(torch.nn.Module):
    def forward(self, a, b):
        return a + b


class Pair(torch.nn.Module):
    def forward(self, rows):
        return rows, rows


def test_more_than_one_tensor(data, load, tmp_path):
    rows = torch.zeros(5, 3)
    torch.export.save(torch.export.export(Two(), (rows, rows)), tmp_path / "two.pt2")
    assert said(load, "two.pt2") == (
        "'two.pt2' takes 2 inputs: 'a', 'b'.\n"
        "  One tensor with a column for each feature was needed: export a module that takes it apart, or return the model from a python: factory."
    )
    export(Pair(), tmp_path / "pair.pt2", {"columns": COLUMNS})
    with pytest.raises(EvaluationError) as error:
        load("pair.pt2", **TRUST).predict(data.numbers, "probability")
    assert str(error.value) == (
        "'pair.pt2' returns tuple, and one tensor was needed.\n"
        "  Let the program return its predictions only, or pick them in a python: factory."
    )


PAGE = Path(__file__, "../../../docs/how-to/models-from-files.md").resolve()


def test_the_documents_say_how(load, tmp_path, monkeypatch):
    blocks = [part.split("```")[0] for part in PAGE.read_text("utf-8").split("```python\n")[1:]]
    saving, factory = (block for block in blocks if "import torch" in block)
    monkeypatch.chdir(tmp_path)
    exec(saving, {})
    (tmp_path / "documented_networks.py").write_text(factory, "utf-8")
    rows = pd.DataFrame([[1e4, 1e3, 40], [2e4, 1e2, 30]], columns=["income", "debt", "age"])
    direct, made = load("model.pt2", **TRUST), load("python:documented_networks:network")
    assert direct.columns == made.columns == ("income", "debt", "age")
    positive = direct.predict(rows, "probability")
    np.testing.assert_allclose(made.predict(rows, "probability")[:, 1], positive, rtol=1e-6)
