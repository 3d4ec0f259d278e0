"""The Open Inference Protocol: which tensors are sent, how outputs are read, and that one version answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.errors import EvaluationError, InvalidError
from pytest_model_gate.models.scoring import score

ROWS = pd.DataFrame({"a": np.linspace(-1, 1, 40), "n": np.arange(40)})


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_ROWS", "10")
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_CONCURRENCY", "1")
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_RETRIES", "0")


def tensor(name, datatype, shape):
    return {"name": name, "datatype": datatype, "shape": shape}


def output(name, datatype, shape, data):
    return {**tensor(name, datatype, shape), "data": data}


@pytest.fixture
def v2(scripted):
    """A server of one model: what it says of it, and which outputs it gives for so many rows."""

    def serve(*, inputs=(), versions=None, outputs=None, version="7", name="credit"):
        said = {"name": name, "versions": versions, "platform": "test", "inputs": list(inputs), "outputs": []}
        scripted.about = lambda asked: asked.reply(200, said)
        give = outputs or (lambda rows: [output("p", "FP64", [rows], [0.5] * rows)])
        called = iter(range(1000))

        def infer(asked):
            now = version(next(called)) if callable(version) else version
            asked.reply(200, {"model_name": name, "model_version": now, "outputs": give(asked.rows)})

        scripted.answer = infer
        return f"{scripted.url}/v2/models/{name}"

    return serve


def message(error, load, source, frame=ROWS, want="probability"):
    with pytest.raises(error) as caught:
        load(source).predict(frame, want)
    assert type(caught.value) is error
    return str(caught.value)


def test_columns_go_out_as_tensors_of_their_own_types(v2, load, scripted):
    rows = pd.DataFrame(
        {
            "x": [0.1, np.nan],
            "y": np.array([0.1, 2.0], dtype="float32"),
            "n": [2**53 + 1, -5],
            "u": np.array([1, 0], dtype="uint8"),
            "flag": [True, False],
            "text": ["ä", None],
            "level": pd.Categorical(["b", "c"]),
            "when": pd.to_datetime(["2026-01-02T03:04:05", None]),
        }
    )
    load(v2() + "#p").predict(rows, "probability")
    (asked,) = scripted.asked
    assert asked.path == "/v2/models/credit/infer"
    assert asked.body == {
        "parameters": {"content_type": "pd"},
        "inputs": [
            output("x", "FP64", [2, 1], [0.1, None]),
            output("y", "FP32", [2, 1], [float(np.float32(0.1)), 2.0]),
            output("n", "INT64", [2, 1], [2**53 + 1, -5]),
            output("u", "UINT8", [2, 1], [1, 0]),
            output("flag", "BOOL", [2, 1], [True, False]),
            output("text", "BYTES", [2, 1], ["ä", None]),
            output("level", "BYTES", [2, 1], ["b", "c"]),
            output("when", "BYTES", [2, 1], ["2026-01-02T03:04:05", None])
            | {"parameters": {"content_type": "datetime"}},
        ],
        "outputs": [{"name": "p"}],
    }


def test_stated_inputs_name_the_columns_and_their_types(v2, load, scripted):
    inputs = [tensor("n", "FP32", [-1, 1]), tensor("a", "FP64", [-1]), tensor("text", "BYTES", [-1])]
    model = load(v2(inputs=inputs))
    assert model.columns == ("n", "a", "text")
    assert model.types == {"n": "float64", "a": "float64"}
    score(model, [ROWS.assign(text="x", more=1)[:2]], ["probability"])
    (asked,) = scripted.asked
    assert asked.body["inputs"] == [
        output("n", "FP32", [2, 1], [0.0, 1.0]),
        output("a", "FP64", [2], ROWS["a"][:2].tolist()),
        output("text", "BYTES", [2], ["x", "x"]),
    ]


def test_one_input_may_take_all_columns(v2, load, scripted):
    model = load(v2(inputs=[tensor("input", "FP32", [-1, 2])]))
    assert (model.columns, model.types) == (None, {})
    model.predict(ROWS[:2], "probability")
    (asked,) = scripted.asked
    first, second = ROWS["a"][:2]
    assert asked.body == {"inputs": [output("input", "FP32", [2, 2], [first, 0.0, second, 1.0])]}
    source = f"{scripted.url}/v2/models/credit"
    assert message(EvaluationError, load, source, ROWS.assign(more=1)) == (
        f"'{source}' takes one matrix of 2 columns and does not name them; the dataset offers 3: 'a', 'n', "
        "'more'.\n  Serve it with one named input per column, so that it can ask for its own."
    )


@pytest.mark.parametrize(
    ("datatype", "values", "what"),
    [
        ("INT64", [1.0, 2.0], None),
        ("INT8", [1, 127], None),
        ("BOOL", [True, False], None),
        ("BYTES", pd.to_datetime(["2026-01-02", "2026-01-03"]), None),
        ("INT8", [1, 128], "takes INT8 as input 'col', and the dataset has int64 there."),
        ("UINT8", [1, -1], "takes UINT8 as input 'col', and the dataset has int64 there."),
        ("INT64", [1.5, 2.0], "takes INT64 as input 'col', and the dataset has float64 there."),
        ("BOOL", [1, 0], "takes BOOL as input 'col', and the dataset has int64 there."),
        ("BYTES", [1, 0], "takes BYTES as input 'col', and the dataset has int64 there."),
        (
            "FP64",
            ["a", "b"],
            f"takes FP64 as input 'col', and the dataset has {pd.Series(['a']).dtype} there.",
        ),
    ],
)
def test_types_that_fit_and_others(datatype, values, what, v2, load):
    source = v2(inputs=[tensor("col", datatype, [-1])])
    rows = pd.DataFrame({"col": values})
    if what is None:
        assert len(load(source).predict(rows, "probability")) == 2
        return
    assert message(InvalidError, load, source, rows) == (
        f"'{source}' {what}\n  Give it a dataset with the column types that it was made for."
    )


@pytest.mark.parametrize(("missing", "rows"), [([np.nan, 1.0], "1 row has"), ([np.nan] * 2, "2 rows have")])
def test_whole_numbers_cannot_be_missing(missing, rows, v2, load):
    source = v2(inputs=[tensor("col", "INT64", [-1])])
    assert message(InvalidError, load, source, pd.DataFrame({"col": missing})) == (
        f"'{source}' takes INT64 as input 'col', which has no missing values, and {rows} none.\n"
        "  Fill them in, or serve the model with FP64 there."
    )


@pytest.mark.parametrize(
    "inputs",
    [
        [tensor("image", "FP32", [-1, 3, 224, 224])],
        [tensor("a", "FP32", [-1, 2]), tensor("b", "FP32", [-1, 2])],
        [tensor("a", "FP8", [-1])],
    ],
)
def test_inputs_that_no_table_has(inputs, v2, load):
    source = v2(inputs=inputs)
    text = message(EvaluationError, load, source)
    assert text.startswith(f"'{source}' has inputs that columns of a table cannot be given to: ")
    assert text.endswith("\n  Serve it with one input per column, or with one matrix of all columns.")


@pytest.mark.parametrize("said", [[], {}, {"name": 3}, {"name": "m", "inputs": [{"name": "a"}]}, "text"])
def test_metadata_that_are_none(said, scripted, load):
    scripted.about = lambda asked: asked.reply(200, said)
    source = f"{scripted.url}/v2/models/credit"
    assert message(EvaluationError, load, source) == (
        f"'{source}' does not say of itself what the Open Inference Protocol asks for.\n"
        "  Check the path; the metadata of a model need a name, and of each input a name, a datatype and a "
        "shape."
    )


def test_a_page_instead_of_metadata(scripted, load):
    scripted.about = lambda asked: asked.reply(200, b"<html>")
    source = f"{scripted.url}/v2/models/credit"
    assert message(EvaluationError, load, source).startswith(
        f"'{source}' answered with a page (HTML), and JSON"
    )


@pytest.mark.parametrize(
    ("outputs", "want", "expected"),
    [
        (lambda n: [output("p", "FP32", [n], [0.5] * n)], "probability", [0.5, 0.5]),
        (lambda n: [output("p", "FP64", [n, 1], [1] * n)], "probability", [1.0, 1.0]),
        (lambda n: [output("p", "FP64", [1, n], [0.5] * n)], "probability", [0.5, 0.5]),
        (lambda n: [output("p", "FP64", [n, 2], [0.25, 0.75] * n)], "probability", [[0.25, 0.75]] * 2),
        (lambda n: [output("p", "FP64", [n, 2], [[0.25, 0.75]] * n)], "probability", [[0.25, 0.75]] * 2),
        (lambda n: [output("p", "INT64", [n], [1] * n)], "label", [1, 1]),
        (lambda n: [output("p", "INT64", [n], [1] * n)], "probability", None),
        (lambda n: [output("p", "BYTES", [n], ["no"] * n)], "label", ["no", "no"]),
        (lambda n: [output("p", "BOOL", [n], [True] * n)], "label", [True, True]),
    ],
)
def test_what_an_output_may_be(outputs, want, expected, v2, load):
    said = load(v2(outputs=outputs)).predict(ROWS[:2], want)
    assert said is None if expected is None else said.tolist() == expected


def test_outputs_of_classes(v2, load):
    def outputs(rows):
        return [output("yes", "FP64", [rows], [0.75] * rows), output("no", "FP64", [rows], [0.25] * rows)]

    source = v2(outputs=outputs)
    model = load(f"{source}#0=no,1=yes")
    assert model.predict(ROWS, "probability").tolist() == [[0.25, 0.75]] * 40
    assert model.classes == (0, 1)
    assert load(f"{source}#yes").predict(ROWS, "probability").tolist() == [0.75] * 40
    assert message(InvalidError, load, source) == (
        f"'{source}' gives several outputs: 'yes', 'no'.\n  Say which one is the prediction: {source}#yes"
    )
    assert message(InvalidError, load, f"{source}#yess") == (
        f"'{source}#yess' gives no output 'yess'.\n  Did you mean 'yes'?"
    )


@pytest.mark.parametrize(
    ("outputs", "what", "remedy"),
    [
        (
            lambda n: [],
            "answered without outputs as the Open Inference Protocol has them.",
            "Each needs a name, a datatype, a shape and its data as JSON.",
        ),
        (
            lambda n: [tensor("p", "FP64", [n])],
            "answered without outputs as the Open Inference Protocol has them.",
            "Each needs a name, a datatype, a shape and its data as JSON.",
        ),
        (
            lambda n: [output("p", "FP64", [n], [0.5] * (n - 1))],
            "gives 'p' as FP64 [10] with 9 values, which is no prediction for each row.",
            "One value for each row, or one for each row and class, was needed.",
        ),
        (
            lambda n: [output("p", "FP64", [n, 2, 2], [0.5] * 4 * n)],
            "gives 'p' as FP64 [10, 2, 2] with 40 values, which is no prediction for each row.",
            "One value for each row, or one for each row and class, was needed.",
        ),
        (
            lambda n: [output("p", "FP64", [n - 1], [0.5] * (n - 1))],
            "gave 9 predictions for 10 rows.",
            "It must give one for each row, in the order of the rows.",
        ),
        (
            lambda n: [output("p", "FP64", [n], ["0.5"] * n)],
            "gives predictions that are no numbers, labels or probabilities, but text.",
            "Let it give one value for each row, or one probability for each class.",
        ),
        (
            lambda n: [output("p", "INT64", [n], [None] * n)],
            "gives predictions that are no numbers, labels or probabilities, but nothing.",
            "Let it give one value for each row, or one probability for each class.",
        ),
    ],
)
def test_outputs_that_are_no_predictions(outputs, what, remedy, v2, load):
    source = v2(outputs=outputs)
    assert message(InvalidError, load, source) == f"'{source}' {what}\n  {remedy}"


# --------------------------------------------------------------------------------------- one version


def test_the_version_is_the_one_that_answers(v2, load):
    source = v2(versions=["6", "7"])
    model = load(source)
    assert (model.resolved, model.version) == (source, "")
    model.predict(ROWS, "probability")
    assert (model.resolved, model.version) == (f"{source}/versions/7", "7")
    assert load(v2(versions=["6"])).resolved == f"{source}/versions/6"  # the only one that there is


def test_a_server_that_knows_no_versions(v2, load):
    source = v2(version=None)
    model = load(source)
    model.predict(ROWS, "probability")
    assert (model.resolved, model.version) == (source, "")


def test_another_version_answers_in_the_middle(v2, load):
    source = v2(version=lambda call: "7" if call < 2 else "8")
    assert message(InvalidError, load, source) == (
        f"'{source}' answered as version 8, and version 7 was asked or had answered before: it was changed "
        "meanwhile, or its traffic is split.\n  Name one version: .../v2/models/NAME/versions/3"
    )


def test_another_version_answers_later(v2, load):
    source = v2(version=lambda call: "7" if call < 4 else "8")
    model = load(source)
    model.predict(ROWS, "probability")
    with pytest.raises(InvalidError, match="answered as version 8, and version 7 was asked or had answered"):
        model.predict(ROWS[:5], "probability")


def test_another_version_than_the_one_that_was_named(v2, load):
    source = v2(name="credit") + "/versions/3"
    assert message(InvalidError, load, source) == (
        f"'{source}' answered as version 7, and version 3 was asked or had answered before: it was changed "
        "meanwhile, or its traffic is split.\n  Run the gate again when nothing is deployed there."
    )


def test_a_model_that_is_replaced_by_another(v2, load, scripted):
    source = v2(version=None)
    model = load(source)
    v2(version=None, inputs=[tensor("a", "FP64", [-1])])
    with pytest.raises(InvalidError, match="says something else about itself than before its first answer"):
        model.predict(ROWS, "probability")
