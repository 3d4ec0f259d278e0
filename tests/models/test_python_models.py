"""Models from functions of the project: what they may return, and what their digest tells."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from pytest_model_gate.errors import ConfigurationError, EvaluationError, UnavailableError
from pytest_model_gate.models.scoring import score


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Write a module into the project; it is imported anew in every test."""

    def write(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)

    before = set(sys.modules)
    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


CREDIT = """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    SHIFT = 1.0
    calls = 0

    def build():
        global calls
        calls += 1
        X = np.array([[0.0], [1.0], [2.0], [3.0]])
        return LogisticRegression().fit(X, [0, 0, 1, 1])

    class Rule:
        classes_ = np.array(["no", "yes"])
        def __init__(self, shift=SHIFT):
            self.shift = shift
        def predict(self, frame):
            return np.where(frame["a"] > self.shift, "yes", "no")
        def predict_proba(self, frame):
            p = 1 / (1 + np.exp(-(frame["a"] - self.shift)))
            return np.column_stack([1 - p, p])

    rule = Rule()
    def function(): return probability
    def probability(frame): return 1 / (1 + np.exp(-frame["a"]))
    def labels(): return lambda frame: np.where(frame["a"] > 0, "yes", "no")
    def matrix(): return lambda frame: np.column_stack([frame["a"], 1 - frame["a"]])
    def nothing(): return None
    def fails(): raise RuntimeError("no weights at https://u:s3cret@host/")
    number = 3
"""


def test_a_factory_is_called_once(project, load, data):
    project("credit_once", CREDIT)
    model = load("python:credit_once:build")
    model.predict(data.rows[["a"]], "probability")
    model.predict(data.rows[["a"]], "probability")
    assert sys.modules["credit_once"].calls == 1
    assert (model.kind, model.classes) == ("python", (0, 1))
    assert model.resolved == "python:credit_once:build in credit_once.py"


@pytest.mark.parametrize("name", ["Rule", "rule"])
def test_an_object_with_predict(name, project, load, data):
    project("credit_rule", CREDIT)
    model = load(f"python:credit_rule:{name}")
    assert model.classes == ("no", "yes")
    assert set(model.predict(data.rows, "label")) == {"no", "yes"}
    assert model.predict(data.rows, "probability").shape == (200, 2)


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("function", {"probability", "score", "value"}),
        ("labels", {"label"}),
        ("matrix", {"probability"}),
    ],
)
def test_a_function_is_told_by_what_it_returns(name, forms, project, load, data):
    project("credit_function", CREDIT)
    model = load(f"python:credit_function:{name}")
    every = ("probability", "score", "value", "label")
    assert {form for form in every if model.predict(data.rows, form) is not None} == forms


def test_the_digest_covers_source_and_state(project, load):
    project("credit_digest", CREDIT)
    first = load("python:credit_digest:Rule").digest
    assert load("python:credit_digest:Rule").digest == first
    assert load("python:credit_digest:rule").digest not in ("", first)
    project("credit_digest", CREDIT.replace("SHIFT = 1.0", "SHIFT = 2.0"))
    assert load("python:credit_digest:Rule").digest not in ("", first)


def test_the_digest_covers_state_from_elsewhere(project, load, tmp_path):
    text = """
        from pathlib import Path
        class Model:
            def __init__(self): self.shift = float(Path(__file__).with_name("w.txt").read_text())
            def predict(self, frame): return frame["a"] + self.shift
    """
    project("credit_state", text)
    (tmp_path / "w.txt").write_text("1", encoding="utf-8")
    one = load("python:credit_state:Model").digest
    (tmp_path / "w.txt").write_text("2", encoding="utf-8")
    two = load("python:credit_state:Model").digest
    assert "" not in (one, two)
    assert one != two


def test_state_that_cannot_be_pickled_has_no_digest(project, load):
    project("credit_lambda", CREDIT)
    assert load("python:credit_lambda:labels").digest == ""


def test_a_module_of_the_project_never_shadows_the_standard_library(project, load, tmp_path):
    project("json", "def build(): raise AssertionError")
    before = list(sys.path)
    with pytest.raises(UnavailableError, match="json has no 'build'"):
        load("python:json:build")
    assert sys.path == before


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (
            "python:credit_wrong",
            ConfigurationError,
            "'python:credit_wrong' does not name a Python object.\n"
            "  Write python:package.module:factory, for example python:credit.models:build.",
        ),
        (
            "python:credit_wrong:buidl",
            UnavailableError,
            "'python:credit_wrong:buidl' cannot be loaded: credit_wrong has no 'buidl'.\n"
            "  Did you mean 'build'?",
        ),
        (
            "python:credit_wrong:number",
            EvaluationError,
            "'python:credit_wrong:number' is an object of type int, neither a factory nor a model.\n"
            "  Name a function that needs no arguments and returns the model.",
        ),
        (
            "python:credit_wrong:nothing",
            EvaluationError,
            "'python:credit_wrong:nothing' holds nothing, which is no model: it has no predict.\n"
            "  A fitted estimator, or any object with predict (and predict_proba), was needed.",
        ),
        (
            "python:credit_wrong:fails",
            EvaluationError,
            "'python:credit_wrong:fails' failed with RuntimeError: no weights at https://***@host/.\n"
            "  Call it by itself to see the whole traceback.",
        ),
    ],
)
def test_what_can_be_wrong(source, error, message, project, load):
    project("credit_wrong", CREDIT)
    with pytest.raises(error) as caught:
        load(source)
    assert str(caught.value) == message


def test_modules_that_cannot_be_imported(project, load, tmp_path):
    project("credit_needs", "import nosuchpackage.sub")
    project("credit_broken", "1 / 0")
    with pytest.raises(UnavailableError) as caught:
        load("python:credit_needs:build")
    assert str(caught.value) == (
        "'python:credit_needs:build' cannot be loaded: credit_needs imports 'nosuchpackage', "
        "which is not installed.\n"
        "  Install what it imports into the environment that runs the gate."
    )
    with pytest.raises(EvaluationError) as broken:
        load("python:credit_broken:build")
    assert str(broken.value) == (
        "'python:credit_broken:build' cannot be loaded: importing credit_broken failed with "
        "ZeroDivisionError: division by zero (credit_broken.py, line 1).\n"
        '  Run python -c "import credit_broken" to see the whole traceback.'
    )
    with pytest.raises(UnavailableError) as absent:
        load("python:nosuch.module:build")
    assert str(absent.value) == (
        "'python:nosuch.module:build' cannot be loaded: there is no module 'nosuch'.\n"
        f"  Modules are looked for on sys.path and in {tmp_path.as_posix()}."
    )


def test_importing_the_sources_is_cheap():
    code = """
        import sys
        import pytest_model_gate.models.builtin as builtin
        from pytest_model_gate.spec import SourceContext
        assert builtin.model_gate_model("prior", SourceContext()) is None
        heavy = {"numpy", "pandas", "mlflow", "sklearn", "xgboost", "lightgbm", "skops", "yaml"}
        print(sorted(heavy & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_two_columns_of_probabilities_stay_two(project, load, data):
    project("credit_matrix", CREDIT)
    made = load("python:credit_matrix:matrix").predict(data.rows, "probability")
    np.testing.assert_array_equal(made[:, 0], data.rows["a"])


def test_a_model_that_is_not_fitted_says_so_when_it_is_scored(project, load, data):
    project(
        "credit_unfitted",
        """
        import lightgbm, xgboost
        from sklearn.linear_model import LogisticRegression
        def linear(): return LogisticRegression()
        def trees(): return xgboost.XGBClassifier()
        def leaves(): return lightgbm.LGBMClassifier()
        """,
    )
    for name in ("linear", "trees", "leaves"):
        model = load(f"python:credit_unfitted:{name}")
        with pytest.raises(EvaluationError, match=r"raised (LGBM)?NotFittedError while scoring: "):
            score(model, [data.numbers], {"label"})
