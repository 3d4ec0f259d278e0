"""Slices by crossings and bins: what they are called, which rows they have, and which are judged."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.errors import ConfigurationError, EvaluationError
from pytest_model_gate.gate.classes_needed import classes_needed
from pytest_model_gate.gate.slices import MAX_SLICES, cut
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.policy import holm
from pytest_model_gate.results import SmallSlice, Verdict
from pytest_model_gate.spec import SliceSpec, Tolerance, Waiver
from pytest_model_gate.wire import dumps, loads

LOOSE = {"*": Tolerance(0.3)}


def sizes(spec, frame):
    found = cut(spec, frame)
    return dict(zip(found.names, np.bincount(found.codes, minlength=len(found.names)).tolist(), strict=True))


# -- what they are called, and which rows they have --------------------------------------------------------


FRAME = pd.DataFrame(
    {
        "region": ["north", "north", "south", None, "south", "north"],
        "age": [-1.0, 0.0, 25.0, 44.9, 65.0, np.nan],
        "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-02-01", "2024-03-01", None, "2025-01-01"]),
        "a x b": list("pqpqpq"),
    }
)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (SliceSpec(by="region"), {"region=north": 3, "region=south": 2, "region=(missing)": 1}),
        (
            SliceSpec(by="age", bins={"age": (0, 25, 45, 65)}),
            {"age<0": 1, "age=0..25": 1, "age=25..45": 2, "age>=65": 1, "age=(missing)": 1},
        ),
        (
            SliceSpec(by="region x age", bins={"age": (0, 45)}),
            {
                "region=north, age<0": 1,
                "region=north, age=0..45": 1,
                "region=north, age=(missing)": 1,
                "region=south, age=0..45": 1,
                "region=south, age>=45": 1,
                "region=(missing), age=0..45": 1,
            },
        ),
        (
            SliceSpec(by=("day", "a x b"), bins={"day": ("2024-01-02", "2025-01-01")}),
            {
                "day<2024-01-02, a x b=p": 1,
                "day=2024-01-02..2025-01-01, a x b=p": 1,
                "day=2024-01-02..2025-01-01, a x b=q": 2,
                "day>=2025-01-01, a x b=q": 1,
                "day=(missing), a x b=p": 1,
            },
        ),
        (
            SliceSpec(by="age", bins={"age": 2}),
            {"age<25": 2, "age>=25": 3, "age=(missing)": 1},
        ),
    ],
    ids=lambda value: value.title if isinstance(value, SliceSpec) else "",
)
def test_slices_are_called_as_people_write_them(spec, expected):
    assert sizes(spec, FRAME) == expected
    assert list(sizes(spec, FRAME)) == list(expected)


def test_three_columns_are_crossed_and_no_row_is_lost():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({name: rng.integers(0, 7, 500) for name in "abc"})
    found = sizes(SliceSpec(by="a x b x c"), frame)
    expected = frame.groupby(["a", "b", "c"]).size()
    assert found == {f"a={a}, b={b}, c={c}": n for (a, b, c), n in expected.items()}


PARTS = st.text(alphabet="ab=<>, '\\\\.()x", max_size=6)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.lists(st.tuples(PARTS, PARTS), min_size=1, max_size=12, unique=True), PARTS, PARTS)
def test_no_two_slices_are_called_alike(values, one, other):
    one, other = f"1{one}", f"2{other}"
    frame = pd.DataFrame(values, columns=[one, other])
    names = [
        name
        for by in ((one,), (other,), (one, other), (other, one))
        for name in cut(SliceSpec(by=by), frame).names
    ]
    assert len(set(names)) == len(names)


def test_values_that_look_like_more_are_quoted():
    frame = pd.DataFrame({"a": ["x, b=1", "(missing)", "it's", "(0, 5]", None, "'q'"], "b>=": list("uvwxyz")})
    assert list(sizes(SliceSpec(by="a"), frame)) == [
        r"a='\'q\''",
        "a=(0, 5]",
        "a='(missing)'",
        "a=it's",
        "a='x, b=1'",
        "a=(missing)",
    ]
    assert next(iter(sizes(SliceSpec(by="b>="), frame))) == "'b>='=u"


@pytest.mark.parametrize(
    ("spec", "cuts", "verb"),
    [
        (SliceSpec(by="id"), "Column 'id' cuts the rows into 3,000 slices", "set"),
        (SliceSpec(by="half x k"), "Columns 'half x k' cut the rows into 600 slices", "set"),
        (
            SliceSpec(by="half x k", min_rows=2),
            "Columns 'half x k' cut the rows into 600 slices of at least 2 rows",
            "raise",
        ),
    ],
)
def test_too_many_slices(spec, cuts, verb):
    n = 3000
    # One of the combinations has a single row more, so that some size is left out.
    frame = pd.DataFrame({"id": np.arange(n), "half": np.arange(n) % 2, "k": np.arange(n) // 2 % 300})
    if spec.min_rows:
        frame = pd.concat([frame, pd.DataFrame({"id": [n], "half": [7], "k": [0]})], ignore_index=True)
    with pytest.raises(EvaluationError) as error:
        cut(spec, frame)
    assert str(error.value) == (
        f"{cuts}, more than 500.\n  Cut numbers and dates into bins, {{ by = '{spec.columns[-1]}', bins = "
        f"4 }}, slice by a coarser column, or {verb} min_rows, which lists small slices as not judged."
    )


def test_many_small_slices_are_a_list_and_no_error():
    n = MAX_SLICES + 300
    frame = pd.DataFrame({"store": np.r_[np.arange(n), [0] * 50]})
    assert len(cut(SliceSpec(by="store", min_rows=20), frame).names) == n


# -- which are judged --------------------------------------------------------------------------------------


def named(record):
    return [(line.metric, line.slice) for line in record.lines if line.question == "regression"]


def test_a_gate_by_crossings_and_bins(project):
    slices = (
        SliceSpec(by="region x z", bins={"z": (-1, 1)}, min_rows=100, max_regression=LOOSE),
        SliceSpec(by="x", bins={"x": 2}, metrics=("auc",), max_regression=LOOSE),
    )
    record = project.record(slices=slices)

    bands = ("z<-1", "z=-1..1", "z>=1")
    crossed = [f"region={region}, {band}" for region in ("north", "south") for band in bands]
    low, high = (item for item in dict.fromkeys(name for _, name in named(record)) if item.startswith("x"))
    assert named(record) == [
        *((metric, "all") for metric in ("roc_auc", "log_loss")),
        *((metric, name) for name in crossed for metric in ("roc_auc", "log_loss")),
        ("roc_auc", low),
        ("roc_auc", high),
    ]
    assert low.startswith("x<")
    assert high.startswith("x>=")
    assert {small.slice for small in record.small_slices} == {f"region=isle, {band}" for band in bands}
    given_edges, halves = record.bins
    assert (given_edges.column, given_edges.edges, given_edges.groups) == ("z", ("-1", "1"), None)
    assert (halves.column, halves.groups) == ("x", 2)
    # The name is rounded, the record is not.
    (edge,) = halves.edges
    assert low != f"x<{edge}"
    assert round(float(edge), 1) == float(low.removeprefix("x<"))
    frame = project.frame
    below = next(line for line in record.lines if line.slice == low)
    assert below.n == int((frame.x < float(edge)).sum()) == 1000
    assert loads(dumps(record)) == record


def test_a_slice_is_measured_on_its_own_rows(project):
    record = project.record(slices=(SliceSpec(by="region x z", bins={"z": (0, 1)}, max_regression=LOOSE),))
    line = next(line for line in record.lines if line.slice == "region=south, z=0..1")

    part = project.frame.query("region == 'south' and 0 <= z < 1")
    positive, negative = (part.cand[part.y == label].to_numpy() for label in (1, 0))
    wins = (positive[:, None] > negative).mean() + (positive[:, None] == negative).mean() / 2
    assert line.n == len(part)
    assert line.candidate == pytest.approx(wins, rel=1e-11)


def test_ties_that_make_fewer_groups_are_said(project):
    frame = project.frame.assign(
        z=np.where(np.arange(len(project.frame)) % 4 < 3, 0.0, project.frame.z.abs())
    )
    project.write(frame)
    record = project.record(slices=(SliceSpec(by="z", bins={"z": 4}, max_regression=LOOSE),))

    assert "'z' is cut into 2 groups and not into 4: too many rows share a value" in record.notes
    assert [line.n for line in record.lines if line.slice.startswith("z")] == [1500, 1500, 500, 500]


def test_the_same_rows_are_judged_once_under_every_name(project):
    frame = project.frame.assign(
        city=np.where(
            project.frame.region == "south", "Delft", np.where(project.frame.x > 0, "Oslo", "Bergen")
        )
    )
    frame.drop(columns=["cand", "prod", "bad"]).to_parquet(project.root / "data.parquet")
    slices = tuple(SliceSpec(by=by, max_regression=LOOSE, min_rows=50) for by in ("region", "region x city"))
    record = project.record(slices=slices, metrics=("roc_auc",))

    assert [(line.slice, line.also) for line in record.lines if line.question == "regression"] == [
        ("all", ()),
        ("region=north", ()),
        ("region=south", ("region=south, city=Delft",)),
        ("region=north, city=Bergen", ()),
        ("region=north, city=Oslo", ()),
    ]
    # A limit of its own is a question of its own, on the same numbers.
    stricter = (slices[0], replace(slices[1], max_regression={"*": Tolerance(0.2)}))
    lines = project.record(slices=stricter, metrics=("roc_auc",)).lines
    one, other = (line for line in lines if line.slice.startswith("region=south"))
    assert (one.slice, other.slice) == ("region=south", "region=south, city=Delft")
    assert (one.interval, one.also, other.also) == (other.interval, (), ())
    assert (one.required, other.required) == (-0.3, -0.2)


def test_a_slice_of_all_rows_is_all_rows(project):
    project.write(project.frame.assign(region="north"))
    record = project.record(slices=(SliceSpec(by="region"),), metrics=("roc_auc",))
    assert [(line.question, line.slice, line.also) for line in record.lines] == [
        ("regression", "all", ("region=north",)),
        ("baseline", "all", ()),
    ]


@pytest.mark.parametrize(
    ("metric", "classes", "needed"),
    [
        ("roc_auc", 2, {0, 1}),
        ("average_precision", 2, {1}),
        ("recall", 2, {1}),
        ("specificity", 2, {0}),
        ("f1", 2, {1}),
        ("balanced_accuracy", 2, {0, 1}),
        ("accuracy", 2, set()),
        ("log_loss", 2, set()),
        ("roc_auc_ovr", 3, {0, 1, 2}),
        ("accuracy", 3, set()),
    ],
)
def test_a_metric_says_which_classes_it_needs(metric, classes, needed):
    assert classes_needed(resolve(metric), tuple(range(classes))) == needed


def few_positives(project):
    """Leave ten positives on the island, and a hundred negatives."""
    frame = project.frame.assign(region=np.where(project.frame.x > 0, "north", "south"))
    rows = [*frame.index[frame.y == 1][:10], *frame.index[frame.y == 0][:100]]
    frame.loc[rows, "region"] = "isle"
    project.write(frame)


def test_slices_with_few_of_a_needed_class_are_listed(project):
    few_positives(project)
    spec = SliceSpec(by="region", min_per_class=30, max_regression=LOOSE)
    record = project.record(slices=(spec,))
    assert record.small_slices == (
        SmallSlice(slice="region=isle", n=110, min_rows=0, lacking="10 of class 1, min_per_class = 30"),
    )
    assert "region=isle" not in {name for _, name in named(record)}

    # Accuracy needs neither class.
    judged = project.record(slices=(replace(spec, metrics=("accuracy",)),), metrics=("accuracy", "roc_auc"))
    assert judged.small_slices == ()
    assert ("accuracy", "region=isle") in named(judged)
    assert ("roc_auc", "region=isle") not in named(judged)

    both = project.record(slices=(replace(spec, min_rows=200),))
    assert both.small_slices == (SmallSlice(slice="region=isle", n=110, min_rows=200),)


def test_a_metric_that_does_not_exist_on_a_slice(project):
    frame = project.frame
    frame.loc[frame.region == "isle", "y"] = 0
    project.write(frame)
    spec = SliceSpec(by="region")
    keys = {"metrics": ("roc_auc", "accuracy"), "max_regression": LOOSE}

    record = project.record(slices=(spec,), **keys)
    assert record.verdict is Verdict.ERROR
    line = next(line for line in record.lines if line.verdict is Verdict.ERROR)
    assert (line.slice, line.undefined, line.fails) == ("region=isle", True, True)
    assert line.reason == "roc_auc needs both classes; these 20 rows have none of class 1."
    assert line.remedy == (
        'Set min_rows, min_per_class or metrics for these slices, or on_undefined = "warn", which shows the '
        "line and fails nothing."
    )

    allowed = project.record(slices=(replace(spec, on_undefined="warn"),), **keys)
    again = next(line for line in allowed.lines if line.undefined)
    assert allowed.verdict is Verdict.PASS
    assert (again.verdict, again.fails) == (Verdict.ERROR, False)
    assert again.reason == line.reason
    assert allowed.warnings == record.warnings + 1
    judged = sum(not each.undefined for each in allowed.lines)
    assert allowed.reason == f"{judged} lines judged"
    assert loads(dumps(allowed)) == allowed


def test_on_undefined_forgives_no_other_error(project):
    """A metric that fails, and one that needs more than the model gives, is an error as before."""
    project.module(
        "gives_labels",
        "class Labels:\n    classes_ = [0, 1]\n\n    def predict(self, X):\n        "
        "return (X.x > 0).astype(int)\n\n\ndef build():\n    return Labels()\n",
    )
    spec = SliceSpec(by="region", on_undefined="warn", max_regression=LOOSE)
    record = project.record(slices=(spec,), metrics=("roc_auc",), candidate="python:gives_labels:build")
    assert record.verdict is not Verdict.PASS
    assert not any(line.undefined for line in record.lines)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([0.0, 1e-9, 0.001, 0.01, 0.02, 0.049, 0.05, 0.3, 1.0]) | st.floats(0, 1)))
def test_p_values_that_accuse_nobody_need_not_be_known(p_values):
    """So only those of lines whose upper bound accuses are searched for."""
    alpha = 0.05
    known = [p if p < alpha else 1.0 for p in p_values]
    accused, same = ([p < alpha for p in holm(each)] for each in (p_values, known))
    assert accused == same
    assert [p for p in holm(p_values) if p < alpha] == [p for p in holm(known) if p < alpha]


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            SliceSpec(by="region", metrics=("brier",)),
            "gate 'credit': metrics of slice 'region' names 'brier', which is none of its metrics.\n"
            "  Known: log_loss, roc_auc.",
        ),
        (
            SliceSpec(by="region", metrics=("auc",), max_regression={"log_loss": Tolerance(0.1)}),
            "gate 'credit': max_regression of slice 'region' names 'log_loss', and its metrics don't.\n"
            "  Name it in both, or in neither.",
        ),
        (
            SliceSpec(by="z", bins={"z": (1, 0)}),
            "gate 'credit': slice 'z': z: must have edges in ascending order, each once, got [1, 0].",
        ),
        (
            SliceSpec(by="z", bins={"x": 4}),
            "gate 'credit': slice 'z': bins name 'x', and by names 'z'.",
        ),
    ],
)
def test_tables_that_cannot_be_meant(project, spec, text):
    with pytest.raises(ConfigurationError) as error:
        project.evaluation(slices=(spec,))
    assert str(error.value) == text


def test_a_regression_has_no_classes(project):
    with pytest.raises(ConfigurationError) as error:
        project.evaluation(
            slices=(SliceSpec(by="region", min_per_class=5),), metrics=("mae",), baseline="mean"
        )
    assert str(error.value) == (
        "gate 'credit': slice 'region': min_per_class counts the rows of classes, and a regression has "
        "none.\n  Use min_rows."
    )


@pytest.mark.parametrize(
    ("by", "bins", "text"),
    [
        (
            "region",
            (0, 1),
            "Bins need a column of numbers or dates, and 'region' holds text, for example 'isle'.\n"
            "  Slice by its values, without bins, or store it as numbers.",
        ),
        (
            "x",
            ("2024-01-01", "2025-01-01"),
            "The edges of 'x' are dates, and the column holds numbers, for example 0.0012301533574825742.\n"
            "  Give edges that are numbers.",
        ),
    ],
)
def test_bins_that_do_not_fit_the_column(project, by, bins, text):
    record = project.record(slices=(SliceSpec(by=by, bins={by: bins}),))
    finding = next(check for check in record.checks if check.fails).findings[0]
    assert record.verdict is Verdict.INVALID
    assert f"{finding.problem}\n  {finding.remedy}" == text


def test_a_column_named_like_a_crossing(project):
    project.frame.drop(columns=["cand", "prod", "bad"]).rename(columns={"region": "a x b"}).to_parquet(
        project.root / "data.parquet"
    )
    record = project.record(slices=(SliceSpec(by="a x b"),))
    finding = next(check for check in record.checks if check.fails).findings[0]
    assert (finding.problem, finding.remedy) == (
        "slices name the crossing 'a x b', and the dataset has a column of that name.",
        "Name it in a list: { by = ['a x b'] }.",
    )
    found = project.record(slices=(SliceSpec(by=("a x b",), max_regression=LOOSE),))
    assert ("roc_auc", "a x b=north") in named(found)


# -- waivers -----------------------------------------------------------------------------------------------


def waiver(name):
    return Waiver(gate="credit", metric="roc_auc", slice=name, reason="r", owner="ann", expires="2999-01-01")


def test_a_waiver_names_a_slice_of_a_crossing(project):
    spec = SliceSpec(
        by="region x z", bins={"z": (0, 1)}, max_regression={"*": Tolerance(0.001)}, min_rows=100
    )
    plain = project.record(slices=(spec,), metrics=("roc_auc",))
    failing = [line.slice for line in plain.lines if line.fails]
    assert "region=north, z=0..1" in failing

    record = project.record(slices=(spec,), metrics=("roc_auc",), waivers=tuple(map(waiver, failing)))
    assert record.verdict is Verdict.PASS
    assert {line.slice for line in record.lines if line.waiver} == set(failing)


def test_a_waiver_of_any_name_of_the_rows_counts(project):
    project.write(project.frame.assign(region="north"))
    keys = {
        "slices": (SliceSpec(by="region"),),
        "metrics": ("roc_auc",),
        "max_regression": {"*": Tolerance(0.0)},
    }
    assert project.record(**keys).verdict is not Verdict.PASS
    record = project.record(**keys, waivers=(waiver("region=north"),))
    assert record.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("name", "problem", "remedy"),
    [
        (
            "region=sout, z=0..1",
            "the waiver of ann names a slice that does not exist.",
            "Did you mean 'region=south, z=0..1'?",
        ),
        (
            "elsewhere",
            "the waiver of ann names a slice that does not exist.",
            "There are all, region=isle, z<0, region=isle, z=0..1, region=isle, z>=1, region=north, z<0, "
            "region=north, z=0..1, region=north, z>=1, region=south, z<0, ... (10 in all).",
        ),
        (
            "region=isle, z<0",
            "the waiver of ann waives nothing: this slice is too small.",
            "Remove it.",
        ),
        ("region=south, z<0", "the waiver of ann waives nothing: no failing line matches it.", "Remove it."),
    ],
)
def test_waivers_that_waive_nothing(project, name, problem, remedy):
    spec = SliceSpec(by="region x z", bins={"z": (0, 1)}, max_regression=LOOSE, min_rows=100)
    record = project.record(slices=(spec,), metrics=("roc_auc",), waivers=(waiver(name),))
    (finding,) = next(check for check in record.checks if check.name == "waivers").findings
    assert (finding.problem, finding.remedy) == (problem, remedy)
    assert record.verdict is Verdict.ERROR
    assert date.fromisoformat("2999-01-01") > date.today()


def test_the_order_of_the_rows_changes_no_slice(project):
    slices = (
        SliceSpec(by="region x z", bins={"z": 3}, on_undefined="warn"),
        SliceSpec(by="x", bins={"x": (-1, 0, 1)}),
    )
    first = project.record(slices=slices)
    project.write(project.frame.sample(frac=1.0, random_state=5))
    second = project.record(slices=slices)
    assert second.lines == first.lines
    assert second.bins == first.bins
    assert second.small_slices == first.small_slices
