"""One function for precedence, and every wrong use of a marker or an option, with the whole message."""

from __future__ import annotations

import pytest

from pytest_model_gate.config.files import read_project
from pytest_model_gate.config.resolve import Overrides, resolve
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.spec import SliceSpec, Tolerance

COMPLETE = {
    "candidate": "a.skops",
    "production": "b.skops",
    "dataset": "d.csv",
    "target": "y",
    "metrics": ["accuracy"],
}

MARKER = "model_gate marker of test_x: "
RANGE = "must be a number >= 0 or a percentage such as '1%'"

WRONG = {
    "unknown key": ({"candiate": "x"}, "unknown key 'candiate'.\n  Did you mean 'candidate'?"),
    "field name of the schema": ({"schema_": "x"}, "unknown key 'schema_'.\n  Did you mean 'schema'?"),
    "empty source": ({"candidate": ""}, "candidate: must not be empty, got ''."),
    "source is no text": ({"candidate": 3}, "candidate: must be a string, got 3."),
    "no metrics": ({"metrics": []}, "metrics: must not be empty, got []."),
    "metric is no text": ({"metrics": [1]}, "metrics.0: must be a string, got 1."),
    "alpha too large": ({"alpha": 0.5}, "alpha: must be less than 0.5, got 0.5."),
    "alpha too small": ({"alpha": 0}, "alpha: must be greater than 0, got 0."),
    "seed is negative": ({"seed": -1}, "seed: must be greater than or equal to 0, got -1."),
    "seed is no whole number": ({"seed": 0.5}, "seed: must be a whole number, got 0.5."),
    "alpha is no number": ({"alpha": "x"}, "alpha: must be a number, got 'x'."),
    "negative tolerance": ({"max_regression": -1}, f"max_regression: {RANGE}, got -1."),
    "tolerance is no percentage": ({"max_regression": "x%"}, f"max_regression: {RANGE}, got 'x%'."),
    "tolerance is NaN": ({"max_regression": float("nan")}, f"max_regression: {RANGE}, got nan."),
    "tolerance is a boolean": (
        {"max_regression": {"accuracy": True}},
        f"max_regression.accuracy: {RANGE}, got True.",
    ),
    "gain is text": ({"min_gain": "1"}, "min_gain: must be a number, got '1'."),
    "gain is infinite": ({"min_gain": float("inf")}, "min_gain: must be a finite number, got inf."),
    "floors without metrics": ({"floors": 0.5}, "floors: must be a table, got 0.5."),
    "floor is text": ({"floors": {"accuracy": "x"}}, "floors.accuracy: must be a number, got 'x'."),
    "floor is a boolean": ({"floors": {"accuracy": True}}, "floors.accuracy: must be a number, got True."),
    "slice is a number": ({"slices": [3]}, "slices.0: must be a name or a table, got 3."),
    "slice without a column": (
        {"slices": [{"min_rows": 3}]},
        "the key 'slices.0.by' is missing.\n  Add by = ...",
    ),
    "slice with a typo": (
        {"slices": [{"by": "x", "min_row": 3}]},
        "unknown key 'slices.0.min_row'.\n  Did you mean 'min_rows'?",
    ),
    "slice by a number": (
        {"slices": [{"by": 3}]},
        "slices.0.by: must be a column or a list of columns, got 3.",
    ),
    "crossing of nothing": (
        {"slices": ["region x "]},
        "slices.0.by: must name a column on each side of ' x ', got 'region x '.",
    ),
    "crossing of four": (
        {"slices": ["a x b x c x d"]},
        "slices.0.by: must cross at most 3 columns, got 4: 'a x b x c x d'.",
    ),
    "crossing of one column with itself": (
        {"slices": [{"by": ["a", "a"]}]},
        "slices.0.by: must name each column once, got ['a', 'a'].",
    ),
    "edges that fall": (
        {"slices": [{"by": "x", "bins": [45, 25]}]},
        "slices.0.bins: must have edges in ascending order, each once, got [45, 25].",
    ),
    "an edge twice": (
        {"slices": [{"by": "x", "bins": [25, 25]}]},
        "slices.0.bins: must have edges in ascending order, each once, got [25, 25].",
    ),
    "an edge that is no number": (
        {"slices": [{"by": "x", "bins": [0, float("nan")]}]},
        "slices.0.bins: must have finite edges, got nan; outer slices have no end anyway.",
    ),
    "one edge": (
        {"slices": [{"by": "x", "bins": [25]}]},
        "slices.0.bins: must have at least 2 edges, got [25]; what lies below the first and from the last on "
        "are slices of their own.",
    ),
    "edges of two kinds": (
        {"slices": [{"by": "x", "bins": [0, "2030-01-31"]}]},
        "slices.0.bins: must have edges that are all numbers or all dates, got [0, '2030-01-31'].",
    ),
    "an edge that is no date": (
        {"slices": [{"by": "x", "bins": ["2030-01-01", "soon"]}]},
        "slices.0.bins: must have edges that are numbers or dates such as 2030-01-31, got 'soon'.",
    ),
    "one group": (
        {"slices": [{"by": "x", "bins": 1}]},
        "slices.0.bins: must be 2 to 100 groups, or a list of edges, got 1.",
    ),
    "bins that are true": (
        {"slices": [{"by": "x", "bins": True}]},
        "slices.0.bins: must be a list of edges, or a number of groups, got True.",
    ),
    "bins of any column of a crossing": (
        {"slices": [{"by": "x x y", "bins": [0, 1]}]},
        "slices.0: bins of a crossing name their column, for example bins = { y = [0, 1] }.",
    ),
    "bins of a column that is not cut": (
        {"slices": [{"by": ["x", "y"], "bins": {"z": 4}}]},
        "slices.0: bins name 'z', and by names 'x', 'y'.",
    ),
    "undefined that passes": (
        {"slices": [{"by": "x", "on_undefined": "pass"}]},
        "slices.0.on_undefined: must be 'fail' or 'warn', got 'pass'.",
    ),
    "slice of negative size": (
        {"slices": [{"by": "x", "min_rows": -1}]},
        "slices.0.min_rows: must be greater than or equal to 0, got -1.",
    ),
    "unknown policy": (
        {"on_inconclusive": "ignore"},
        "on_inconclusive: must be 'fail', 'warn' or 'pass', got 'ignore'.",
    ),
    "threshold out of range": ({"threshold": 1.5}, "threshold.candidate: must be less than 1, got 1.5."),
    "threshold of no role": (
        {"threshold": {"champion": 0.5}},
        "threshold.champion: must be 'candidate', 'production' or 'baseline', got 'champion'.",
    ),
    "unknown task": (
        {"task": "ranking"},
        "task: must be 'classification' or 'regression', got 'ranking'.",
    ),
    "text for a boolean": (
        {"drop_missing_target": "yes"},
        "drop_missing_target: must be true or false, got 'yes'.",
    ),
    "a list as positive class": (
        {"pos_label": [1]},
        "pos_label: must be a string, a number, true or false, got [1].",
    ),
    "a very long value": (
        {"alpha": "x" * 100},
        "alpha: must be a number, got '" + "x" * 56 + "....",
    ),
}


@pytest.fixture
def project(tmp_path):
    """A project whose text is given."""

    def project(text=""):
        if text:
            (tmp_path / "model_gate.toml").write_text(text)
        return read_project(tmp_path)

    return project


def ask(project, name=None, overrides=None, **mark):
    return resolve(project, name=name, mark=mark, default_name="test_x", overrides=overrides)


@pytest.mark.parametrize(("keys", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_marker(project, keys, message):
    with pytest.raises(ConfigurationError) as caught:
        ask(project(), **{**COMPLETE, **keys})
    assert str(caught.value) == MARKER + message


@pytest.mark.parametrize("key", sorted(COMPLETE))
def test_a_gate_that_lacks_a_key(project, key):
    with pytest.raises(ConfigurationError) as caught:
        ask(project(), **{**COMPLETE, key: None})
    assert str(caught.value) == (
        f"gate 'test_x' lacks {key}.\n"
        '  A gate needs candidate, production ("none" for a first release), dataset, target and metrics.'
    )


def test_crossings_and_bins_are_read(tmp_path):
    (tmp_path / "model_gate.toml").write_text(
        "[gates.credit]\n"
        'candidate = "a"\nproduction = "b"\ndataset = "d"\ntarget = "y"\nmetrics = ["auc"]\n'
        'slices = ["region x city", { by = "age", bins = 4, metrics = "auc", min_per_class = 30 },\n'
        '    { by = ["a x b", "day"], bins = { day = [2024-01-01, "2025-01-01"] }, on_undefined = "warn" }]\n'
    )
    crossing, groups, days = resolve(read_project(tmp_path), name="credit", mark={}, default_name="t").slices
    assert (crossing.columns, dict(crossing.bins)) == (("region", "city"), {})
    assert (groups.columns, dict(groups.bins)) == (("age",), {"age": 4})
    assert (groups.metrics, groups.min_per_class) == (("auc",), 30)
    assert days.columns == ("a x b", "day")
    assert dict(days.bins) == {"day": ("2024-01-01", "2025-01-01")}
    assert (days.on_undefined, days.title) == ("warn", "a x b x day")


def test_the_same_columns_in_another_order_are_the_same_slices(tmp_path):
    mark = {**COMPLETE, "slices": ["a x b", {"by": ["b", "a"]}]}
    with pytest.raises(ConfigurationError, match="names the same slice twice"):
        resolve(read_project(tmp_path), name=None, mark=mark, default_name="t")


@pytest.mark.parametrize(("key", "word"), [("metrics", "metric"), ("slices", "slice")])
def test_the_same_thing_twice(project, key, word):
    with pytest.raises(ConfigurationError) as caught:
        ask(project(), **{**COMPLETE, key: ["a", "a"]})
    assert str(caught.value) == f"gate 'test_x' names the same {word} twice.\n  Keep one of them."


def test_an_unknown_gate(project):
    found = project("[gates.credit]\n")
    with pytest.raises(ConfigurationError) as caught:
        ask(found, "cerdit")
    assert str(caught.value) == (
        "model_gate('cerdit'): no such gate in model_gate.toml.\n"
        "  Did you mean 'credit'? Gates are tables such as [gates.cerdit]."
    )


def test_a_gate_where_none_is_declared(project):
    found = project()
    with pytest.raises(ConfigurationError) as caught:
        ask(found, "credit")
    assert str(caught.value) == (
        "model_gate('credit'): no such gate in pyproject.toml or model_gate.toml of "
        f"{found.root.as_posix()}.\n"
        "  No gate is declared there. Gates are tables such as [tool.model_gate.gates.credit]."
    )


@pytest.mark.parametrize(("text", "count"), [("", 0), ("[gates.a]\n[gates.b]\n", 2)])
def test_a_marker_that_says_nothing(project, text, count):
    with pytest.raises(ConfigurationError) as caught:
        ask(project(text))
    assert caught.value.what == f"@pytest.mark.model_gate says nothing, and {count} gates are declared."


GATE = """
target = "default"
alpha = 0.1
metrics = ["roc_auc"]

[gates.credit]
candidate = "file_candidate"
production = "file_production"
dataset = "file_dataset"
target = "file_target"
max_regression = "1%"
slices = ["region", { by = "age", min_rows = 500, max_regression = 0.03, on_inconclusive = "warn" }]

[[waivers]]
gate = "credit"
metric = "roc_auc"
reason = "r"
owner = "o"
expires = 2030-01-31
"""


def test_precedence(project):
    """Command line, marker, named gate, defaults of the file, built-in defaults."""
    spec = ask(
        project(GATE),
        "credit",
        Overrides(candidate=("typed",)),
        candidate="marked",
        production="marked",
    )
    assert (spec.candidate, spec.production, spec.dataset) == ("typed", "marked", "file_dataset")
    assert (spec.target, spec.alpha, spec.on_inconclusive) == ("file_target", 0.1, "fail")
    assert spec.name == "credit"


def test_values_become_what_the_spec_says(project, tmp_path):
    spec = ask(project(GATE), "credit")
    assert dict(spec.max_regression) == {"*": Tolerance(0.01, relative=True)}
    assert spec.slices[0] == SliceSpec(by="region")
    assert spec.slices[0].columns == ("region",)
    assert (spec.slices[1].min_rows, dict(spec.slices[1].max_regression)) == (500, {"*": Tolerance(0.03)})
    assert [waiver.expires for waiver in spec.waivers] == ["2030-01-31"]
    assert spec.root == str(tmp_path)


def test_the_only_gate_needs_no_name(project):
    assert ask(project(GATE)).name == "credit"


def test_a_marker_alone(project):
    spec = ask(project(), **{**COMPLETE, "metrics": ("a", "b"), "threshold": 0.3})
    assert (spec.name, spec.metrics) == ("test_x", ("a", "b"))
    assert dict(spec.threshold) == {"candidate": 0.3, "production": 0.3}


@pytest.mark.parametrize(
    ("texts", "gate", "source"),
    [
        (("x.skops",), "credit", "x.skops"),
        (("credit=x.skops",), "credit", "x.skops"),
        (("credit=x.skops", "y.skops"), "credit", "y.skops"),
        (("x.skops", "y.skops"), "credit", "y.skops"),
        (("y.skops", "credit=x.skops"), "credit", "x.skops"),
        (("churn=x.skops",), "credit", None),
        (("s3://bucket/a=b/m.skops",), "credit", "s3://bucket/a=b/m.skops"),
        (("dir/a=b.skops",), "credit", "dir/a=b.skops"),
        (("credit=s3://b/m?versionId=3",), "credit", "s3://b/m?versionId=3"),
    ],
)
def test_a_source_on_the_command_line(texts, gate, source):
    assert Overrides(candidate=texts).for_gate(gate).get("candidate") == source


@pytest.mark.parametrize(
    ("text", "selected", "message"),
    [
        (
            "x.skops",
            ("credit", "churn"),
            "--gate-candidate x.skops names no gate, and 2 are collected: churn, credit.\n"
            "  Write --gate-candidate churn=x.skops, or select one gate with -k.",
        ),
        (
            "cerdit=x.skops",
            ("credit", "churn"),
            "--gate-candidate cerdit=x.skops: no gate is called 'cerdit'.\n  Did you mean 'credit'?",
        ),
        (
            "x.skops",
            (),
            "--gate-candidate x.skops: no gate was collected.\n  Mark a test with @pytest.mark.model_gate.",
        ),
        (
            "https://ann:secret@host/m",
            ("credit", "churn"),
            "--gate-candidate https://***@host/m names no gate, and 2 are collected: churn, credit.\n"
            "  Write --gate-candidate churn=https://***@host/m, or select one gate with -k.",
        ),
    ],
)
def test_a_source_that_fits_no_gate_or_several(text, selected, message):
    with pytest.raises(ConfigurationError) as caught:
        Overrides(candidate=(text,)).check(selected, selected)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "selected"),
    [("x.skops", ("credit",)), ("credit=x", ("credit", "churn")), ("churn=x", ("credit",))],
)
def test_a_source_that_fits(text, selected):
    Overrides(candidate=(text,)).check(selected, ("credit", "churn"))
