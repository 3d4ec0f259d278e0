"""``model-gate score``: one model on one dataset gives the same numbers through every route there is."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import catboost
import joblib
import lightgbm
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import skops.io
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pytest_model_gate.cli import main
from pytest_model_gate.errors import ConfigurationError, EvaluationError, InvalidError
from pytest_model_gate.gate.score_file import score_to_file
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.models.identity import Identity, sha256
from pytest_model_gate.models.mlmodel import load_folder
from pytest_model_gate.models.scoring import score
from pytest_model_gate.spec import SourceContext

NUMBERS = ["a", "b", "c"]


@pytest.fixture
def rows(tmp_path, monkeypatch) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    # Numbers that float32 can hold: ONNX and XGBoost read no others.
    frame = pd.DataFrame(rng.normal(size=(300, 3)).astype("float32").astype(float), columns=NUMBERS)
    frame["id"] = [f"r{i:03}" for i in rng.permutation(len(frame))]
    frame["y"] = (frame["a"] - frame["b"] + rng.normal(size=len(frame)) > 0).astype(int)
    frame.to_parquet(tmp_path / "rows.parquet", index=False)
    monkeypatch.chdir(tmp_path)
    return frame


@pytest.fixture
def linear(rows) -> LogisticRegression:
    fitted = LogisticRegression().fit(rows[NUMBERS], rows["y"])
    skops.io.dump(fitted, "m.skops")
    return fitted


def back(source: str, rows: pd.DataFrame, want: str = "probability", key: str = "id"):
    model = model_gate_model(source, SourceContext(key=key))
    return model, model.predict(rows[["id"]], want)


# --------------------------------------------------------------- one dataset, five libraries, all routes


def fitted(library: str, rows: pd.DataFrame):
    """Return a fitted model, what its file is called, and how MLflow saves it."""
    x, y = rows[NUMBERS], rows["y"]
    if library == "xgboost":
        model = xgboost.XGBClassifier(n_estimators=9).fit(x, y)
        model.save_model("m.ubj")
        return model, "m.ubj", "xgb_model"
    if library == "lightgbm":
        model = lightgbm.LGBMClassifier(n_estimators=9, verbose=-1).fit(x, y)
        model.booster_.save_model("m.txt")
        return model.booster_, "m.txt", "lgb_model"
    if library == "catboost":
        model = catboost.CatBoostClassifier(iterations=9, verbose=0, allow_writing_files=False).fit(x, y)
        model.save_model("m.cbm")
        return model, "m.cbm", "cb_model"
    columns = make_column_transformer((StandardScaler(), NUMBERS))
    model = make_pipeline(columns, LogisticRegression()).fit(x, y)
    if library == "sklearn":
        skops.io.dump(model, "m.skops")
        return model, "m.skops", "sk_model"
    from skl2onnx import to_onnx

    # One input per column, so that the graph asks for its own.
    graph = to_onnx(model, rows[NUMBERS].astype("float32")[:1], options={"zipmap": False})
    Path("m.onnx").write_bytes(graph.SerializeToString())
    return graph, "m.onnx", "onnx_model"


EXEC = """\
import sys
import pyarrow as pa
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.spec import SourceContext
model = model_gate_model(sys.argv[1], SourceContext())
rows = pa.ipc.open_stream(sys.stdin.buffer).read_all().to_pandas()
said = model.predict(rows[["a", "b", "c"]], "probability")
said = {"0": said[:, 0], "1": said[:, 1]} if said.ndim == 2 else {"p": said}
table = pa.table(said)
with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as writer:
    writer.write_table(table)
"""


@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost", "onnx", "sklearn"])
def test_every_route_gives_the_same_numbers(library, rows):
    import mlflow

    model, name, parameter = fitted(library, rows)
    straight = model_gate_model(name, SourceContext())
    expected = straight.predict(rows[NUMBERS], "probability")
    if hasattr(model, "predict_proba"):
        np.testing.assert_array_equal(expected, model.predict_proba(rows[NUMBERS]).astype(float))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(mlflow, library).save_model(**{parameter: model}, path="logged", pip_requirements=["numpy"])
    logged = load_folder(
        Identity(source="l", resolved="l", digest="sha256:1"), Path("logged"), SourceContext()
    )
    np.testing.assert_array_equal(logged.model.predict(rows[NUMBERS], "probability"), expected)

    said = () if library in ("xgboost", "catboost", "sklearn") else ("0", "1")
    written = score_to_file(name, "rows.parquet", "s.parquet", key="id", classes=said)
    shuffled = rows.sample(frac=1, random_state=1)
    model, said = back(written.source, shuffled)
    np.testing.assert_array_equal(said, expected[shuffled.index])
    assert model.classes == ((0, 1) if expected.ndim == 2 else None)

    Path("run.py").write_text(EXEC)
    command = model_gate_model(
        f"exec:{shlex.quote(sys.executable)} run.py {name}", SourceContext(trusted_sources=("exec:*",))
    )
    np.testing.assert_array_equal(command.predict(rows[NUMBERS], "probability"), expected)


def test_columns_of_unknown_classes_are_said_to_be_that(rows):
    _, name, _ = fitted("onnx", rows)
    written = score_to_file(name, "rows.parquet", "s.parquet", key="id")
    assert written.source == "predictions:s.parquet#CLASS=p0,CLASS=p1"
    found, said = back("predictions:s.parquet#0=p0,1=p1", rows)
    assert (found.classes, said.shape) == ((0, 1), (300, 2))


# ----------------------------------------------------------------------------------------- what is said


def test_the_shell_says_how_a_gate_names_it(rows, linear, capsys):
    assert main(["score", "m.skops", "rows.parquet", "-o", "s.parquet", "--key", "id"]) == 0
    data, model = sha256(Path("rows.parquet").read_bytes()), sha256(Path("m.skops").read_bytes())
    assert capsys.readouterr().out == (
        "written    s.parquet: 300 rows\n"
        f"model      m.skops {model}\n"
        f"dataset    rows.parquet {data}\n"
        'in a gate  "predictions:s.parquet#0,1" with key = "id"\n'
    )
    said = json.loads(pq.read_schema("s.parquet").metadata[b"model_gate"])
    assert said == {
        "model": "m.skops",
        "model_digest": model,
        "dataset": "rows.parquet",
        "dataset_digest": data,
        "want": "probability",
        "classes": [0, 1],
    }
    found, _ = back("predictions:s.parquet#0,1", rows)
    assert found.resolved == (f"predictions:s.parquet#0,1 (m.skops {model[:15]} on rows.parquet {data[:15]})")
    assert found.scored_on == data
    assert not list(Path().glob(".*.part"))


def test_the_same_model_and_data_give_the_same_bytes(rows, linear):
    for name in ("s.parquet", "t.parquet"):
        score_to_file("m.skops", "rows.parquet", name, key="id")
    assert Path("s.parquet").read_bytes() == Path("t.parquet").read_bytes()


def test_without_a_key(rows, linear, capsys):
    assert main(["score", "m.skops", "rows.parquet", "-o", "s.parquet", "--want", "label"]) == 0
    assert capsys.readouterr().out.endswith("in a gate  not without a key: name a column with --key\n")
    frame = pd.read_parquet("s.parquet")
    assert frame["row"].tolist() == list(range(300))
    assert frame["prediction"].tolist() == linear.predict(rows[NUMBERS]).tolist()


@pytest.mark.parametrize("labels", [[False, True], ["a,b", "c=d"], [1.0, 2.0]])
def test_classes_keep_their_types(labels, rows):
    model = LogisticRegression().fit(rows[NUMBERS], np.asarray(labels)[rows["y"]])
    joblib.dump(model, "m.joblib")
    digest = sha256(Path("m.joblib").read_bytes())
    written = score_to_file("m.joblib", "rows.parquet", "s.parquet", key="id", trusted_digest=digest)
    assert written.provenance.classes == tuple(labels)
    if "a,b" in labels:  # no source can hold that name
        assert pd.read_parquet("s.parquet").columns.tolist() == ["id", "p0", "p1"]
        return
    found, said = back(written.source, rows)
    assert found.classes == tuple(labels)
    np.testing.assert_array_equal(said, model.predict_proba(rows[NUMBERS]))


@pytest.mark.parametrize("want", ["score", "label", "value", "probability"])
def test_what_was_asked_for_is_what_comes_back(want, rows):
    model = catboost.CatBoostClassifier(iterations=2, verbose=0, allow_writing_files=False)
    model.fit(rows[NUMBERS], rows["y"]).save_model("m.cbm")
    if want == "value":
        with pytest.raises(EvaluationError) as caught:
            score_to_file("m.cbm", "rows.parquet", "s.parquet", key="id", want=want)
        assert str(caught.value) == (
            "m.cbm gives no value of a row.\n  Leave --want away to get what it gives."
        )
        assert not Path("s.parquet").exists()
        return
    written = score_to_file("m.cbm", "rows.parquet", "s.parquet", key="id", want=want)
    found, said = back(written.source, rows, want)
    np.testing.assert_array_equal(
        said, model_gate_model("m.cbm", SourceContext()).predict(rows[NUMBERS], want)
    )
    others = {"score", "label", "value", "probability"} - {want}
    assert all(found.predict(rows[["id"]], other) is None for other in others)


def test_a_function_gets_neither_the_key_nor_what_is_left_out(rows, monkeypatch):
    Path("factories_of_score.py").write_text(
        "def build():\n    return lambda rows: rows['a'] * 0 + rows.shape[1]\n"
    )
    written = score_to_file(
        "python:factories_of_score:build", "rows.parquet", "s.parquet", key="id", without=["y"]
    )
    for want in ("probability", "score", "value"):  # nobody says what its numbers are
        assert set(back(written.source, rows, want)[1]) == {3.0}


# ------------------------------------------------------------------------------------ in a gate


def judge(tmp_path: Path, candidate: str, dataset: str = "rows.parquet"):
    (tmp_path / "test_gate.py").write_text(
        textwrap.dedent(
            f"""
            import pytest

            @pytest.mark.model_gate(candidate={candidate!r}, production="m.skops", baseline="prior",
                dataset={dataset!r}, target="y", key="id", metrics=["roc_auc"], max_regression=0.01)
            def test_it():
                pass
            """
        )
    )
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:cov", "--gate-pin", "--rootdir", str(tmp_path)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options], capture_output=True, text=True, check=False, cwd=tmp_path
    )


def test_a_gate_judges_the_file_and_refuses_it_on_other_rows(rows, linear, tmp_path):
    score_to_file("m.skops", "rows.parquet", "s.parquet", key="id")
    passed = judge(tmp_path, "predictions:s.parquet#0,1")
    assert passed.returncode == 0, passed.stdout
    rows.assign(a=rows["a"] + 1).to_parquet("other.parquet", index=False)
    failed = judge(tmp_path, "predictions:s.parquet#0,1", "other.parquet")
    assert failed.returncode == 1
    made, judged = (sha256(Path(n).read_bytes())[:15] for n in ("rows.parquet", "other.parquet"))
    text = " ".join(failed.stdout.split())
    assert "INVALID" in text
    assert f"'predictions:s.parquet#0,1' was made on a dataset with {made}" in text
    assert f"and the gate judges on other.parquet with {judged}" in text
    assert "model-gate score MODEL DATA -o FILE" in text


# --------------------------------------------------------------------------------- what can be wrong


def refused(error, *arguments, **more) -> str:
    with pytest.raises(error) as caught:
        score_to_file(*arguments, **more)
    assert not Path("s.parquet").exists()
    assert not list(Path().glob(".*.part"))
    return str(caught.value)


def test_a_pickle_needs_its_digest(rows, linear):
    joblib.dump(linear, "m.joblib")
    digest = sha256(Path("m.joblib").read_bytes())
    assert refused(InvalidError, "m.joblib", "rows.parquet", "s.parquet") == (
        "'m.joblib' is not trusted: it is a pickle, and loading it would run any code that is in it.\n"
        f"  If you trust these bytes, add: --trust {digest}"
    )
    text = refused(InvalidError, "m.joblib", "rows.parquet", "s.parquet", trusted_digest="sha256:00")
    assert text.startswith("'m.joblib' is not the model that was agreed")


def test_a_key_that_is_twice_or_missing(rows, linear):
    rows.assign(id=[*rows["id"][:-2], rows["id"][0], rows["id"][1]]).to_parquet("rows.parquet")
    assert refused(InvalidError, "m.skops", "rows.parquet", "s.parquet", key="id") == (
        "The key 'id' has 2 rows with a value that it had before.\n"
        "  Name a column with another value for every row."
    )
    rows.assign(id=rows["id"].where(rows.index > 0)).to_parquet("rows.parquet")
    text = refused(InvalidError, "m.skops", "rows.parquet", "s.parquet", key="id")
    assert text.startswith("The key 'id' is missing in 1 row.")


def test_names_that_are_not_there(rows, linear):
    assert refused(ConfigurationError, "m.skops", "rows.parquet", "s.parquet", key="idd") == (
        "--key idd: the dataset has no such column.\n  Did you mean 'id'?"
    )
    text = refused(ConfigurationError, "m.skops", "rows.parquet", "s.parquet", without=["z"])
    assert text.startswith("--without z: the dataset has no such column.")
    rows.drop(columns="b").to_parquet("rows.parquet")
    text = refused(EvaluationError, "m.skops", "rows.parquet", "s.parquet")
    assert text.startswith("The model needs column 'b', which the dataset does not have.")


def test_where_it_cannot_be_written(rows, linear):
    assert refused(ConfigurationError, "m.skops", "rows.parquet", "s.csv") == (
        "Predictions are written as Parquet, got 's.csv'.\n  Write -o predictions.parquet."
    )
    assert refused(ConfigurationError, "m.skops", "rows.parquet", "no/s.parquet") == (
        "There is no folder 'no' to write 's.parquet' to.\n  Make it first."
    )


def test_a_model_that_fails_leaves_the_old_file(rows, linear):
    Path("old.parquet").write_bytes(b"old")
    rows.astype({"a": str}).assign(a="x").to_parquet("rows.parquet")
    with pytest.raises(EvaluationError, match=r"^The model \(m.skops\) raised ValueError while scoring"):
        score_to_file("m.skops", "rows.parquet", "old.parquet")
    assert Path("old.parquet").read_bytes() == b"old"


def test_metadata_that_somebody_else_wrote_is_only_text(rows, linear, tmp_path):
    score_to_file("m.skops", "rows.parquet", "s.parquet", key="id")
    table = pq.read_table("s.parquet")
    for said in (b"{}", b"[1]", b"\xff", b'{"model": "\\u001b[31m"}', b"null"):
        pq.write_table(table.replace_schema_metadata({b"model_gate": said}), "s.parquet")
        found, _ = back("predictions:s.parquet#0,1", rows)
        assert found.resolved == "predictions:s.parquet#0,1"


# -------------------------------------------------------------------- with no more than the model needs

#: Refuses what this package needs for gates and the model does not need for its numbers.
LEAN = """\
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from pytest_model_gate.cli import main
sys.exit(main(sys.argv[1:]))
"""
BLOCKED = {"pytest", "_pytest", "pandera", "sklearn", "mlflow", "pydantic", "yaml", "tabulate", "skops"}


def test_it_runs_where_only_the_packages_of_the_model_are(rows, capsys):
    model = catboost.CatBoostClassifier(iterations=2, verbose=0, allow_writing_files=False)
    model.fit(rows[NUMBERS], rows["y"]).save_model("m.cbm")
    # catboost itself imports scipy, where it is there.
    Path("lean.py").write_text(LEAN.format(blocked=BLOCKED))
    Path("model_gate.toml").write_text('trusted_sources = ["x"]\n')
    done = subprocess.run(
        [sys.executable, "lean.py", "score", "m.cbm", "rows.parquet", "-o", "s.parquet", "--key", "id"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "note: [tool.model_gate] was not read: pydantic is not installed here\n"
    _, said = back("predictions:s.parquet#0,1", rows)
    np.testing.assert_array_equal(said, model.predict_proba(rows[NUMBERS]))


def test_scored_in_batches_like_in_one(rows, linear, monkeypatch):
    """The file of many batches has the numbers of one."""
    whole = score(model_gate_model("m.skops", SourceContext()), [rows[NUMBERS]], ["probability"]).probability
    rows.to_parquet("rows.parquet", index=False, row_group_size=7)
    seen: list[int] = []
    written = score_to_file(
        "m.skops", "rows.parquet", "s.parquet", key="id", progress=lambda _, done, of: seen.append(done)
    )
    np.testing.assert_array_equal(back(written.source, rows)[1], whole)
    assert seen[-1] == 300
