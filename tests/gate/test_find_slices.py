"""A gate that searches for slices nobody named: what it finds, what it says, and when it fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate import wire
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import FindSlices, SliceSpec, Tolerance, Waiver

TWO_POINTS = {"*": Tolerance(0.02)}


@pytest.fixture
def planted(project):
    """A candidate that is production but for the evenings in the north, where it is noise."""
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 6000))
    frame = pd.DataFrame(
        {
            "id": np.arange(6000),
            "x": x,
            "z": z,
            "y": (x + z + rng.normal(size=6000) > 0).astype("int64"),
            "region": np.where(np.arange(6000) % 2 == 0, "north", "south"),
            "prod": 1 / (1 + np.exp(-2 * x - 1.8 * z)),
            "bad": 1 / (1 + np.exp(-x)),
        }
    )
    frame["note"] = [f"note {i}" for i in range(len(frame))]
    frame["same"] = 1
    frame["device"] = rng.choice(["ios", "web", None], len(frame))
    frame["hour"] = rng.integers(0, 24, len(frame))
    bad = (frame.region == "north") & (frame.hour >= 18)
    frame["cand"] = np.where(bad, rng.random(len(frame)), frame["prod"])
    frame["bad_rows"] = bad

    def write(frame):
        frame.drop(columns=["cand", "prod", "bad", "bad_rows"]).to_parquet(project.root / "data.parquet")
        project.write_scores(frame)

    project.write = write
    project.frame = frame
    write(frame)
    return project


def searched(planted, **keys):
    search = FindSlices(**keys)
    return planted.record(metrics=("log_loss",), max_regression=TWO_POINTS, find_slices=search)


def test_a_planted_segment_is_found_named_and_proven_on_rows_that_did_not_find_it(planted):
    record = searched(planted)
    search = record.search
    assert search.proven == 1
    found, line = search.found[0], search.found[0].line
    assert line.slice == "hour >= 18 and region = north"
    assert line.verdict is Verdict.REGRESSED
    assert found.n == planted.frame.bad_rows.sum()
    assert found.share == pytest.approx(found.n / 6000)
    assert line.n < 0.6 * found.n
    assert found.loss_share == pytest.approx(1.0)
    assert found.elsewhere == 0.0
    assert found.table == '{ by = ["hour", "region"], bins = { hour = [0, 18] }, min_rows = 200 }'
    assert search.columns == ("x", "z", "region", "device", "hour")
    assert search.skipped == (
        ("note", "6,000 values, none in 200 rows: free text or identifiers"),
        ("same", "every row has the same value"),
    )
    assert search.rows + search.tested_rows == 6000
    assert wire.loads(wire.dumps(record)) == record


def test_the_test_says_what_measuring_these_rows_says(planted):
    from sklearn.metrics import log_loss

    line = searched(planted).search.found[0].line
    evaluation = planted.evaluation(metrics=("log_loss",), find_slices=FindSlices())
    suspect = evaluation._searched.suspects[0]
    rows = planted.frame.iloc[suspect.rows]
    assert rows.bad_rows.all()
    assert line.candidate == pytest.approx(log_loss(rows.y, rows.cand), abs=1e-11)
    assert line.reference == pytest.approx(log_loss(rows.y, rows["prod"]), abs=1e-11)


def test_the_slice_that_can_be_pasted_has_the_rows_that_were_found(planted):
    table = SliceSpec(by=("hour", "region"), bins={"hour": (0, 18)}, min_rows=200)
    record = planted.record(metrics=("log_loss",), max_regression=TWO_POINTS, slices=(table,))
    sizes = {line.slice: line.n for line in record.lines}
    assert sizes["hour>=18, region=north"] == planted.frame.bad_rows.sum()


def test_found_segments_warn_unless_they_are_to_fail(planted):
    search = FindSlices(max_regression=TWO_POINTS)
    keys = {"metrics": ("log_loss",), "max_regression": {"*": Tolerance(0.2)}}
    warned = planted.record(find_slices=search, **keys)
    failed = planted.record(find_slices=replace(search, on_found="fail"), **keys)
    assert warned.verdict is Verdict.PASS
    assert warned.warnings > 0
    assert [line.slice for line in warned.lines] == ["all", "all"]
    assert failed.verdict is Verdict.REGRESSED
    assert failed.lines[-1].slice == "hour >= 18 and region = north"
    assert failed.lines[-1].fails
    assert failed.lines[-1].remedy.startswith("Do not ship this candidate: look at these rows")


def test_a_found_segment_can_be_waived(planted):
    waiver = Waiver(
        gate="credit",
        metric="log_loss",
        slice="hour >= 18 and region = north",
        reason="night shift is new",
        owner="ann",
        expires="2999-01-01",
    )
    record = planted.record(
        metrics=("log_loss",),
        max_regression={"*": Tolerance(0.1)},
        find_slices=FindSlices(on_found="fail", max_regression=TWO_POINTS),
        waivers=(waiver,),
    )
    assert record.lines[-1].waiver.startswith("waived by ann")
    assert record.verdict is Verdict.PASS


def test_permuting_the_rows_changes_no_digit(planted):
    first = searched(planted, depth=3).search
    for seed in range(2):
        planted.write(planted.frame.sample(frac=1, random_state=seed))
        assert searched(planted, depth=3).search == first
    planted.write(planted.frame)


def test_equal_models_are_accused_of_nothing(planted):
    planted.write_scores(planted.frame.assign(cand=planted.frame["prod"]))
    search = searched(planted).search
    assert search.found == ()
    assert search.proven == 0
    assert search.searched > 1000
    assert search.detectable_share == 0.05


def test_what_is_found_in_one_metric_of_several_is_found_once(planted):
    record = planted.record(
        metrics=("roc_auc", "log_loss", "accuracy"), max_regression=TWO_POINTS, find_slices=FindSlices()
    )
    proven = [found.line for found in record.search.found if found.proven]
    assert [line.slice for line in proven] == ["hour >= 18 and region = north"]
    one = planted.record(
        metrics=("roc_auc", "log_loss", "accuracy"),
        max_regression=TWO_POINTS,
        find_slices=FindSlices(metrics=("auc",)),
    )
    assert one.search.metrics == ("roc_auc",)
    assert {found.line.metric for found in one.search.found} == {"roc_auc"}


def test_all_at_once_finds_it_too(planted):
    search = searched(planted, method="max-t", columns=("hour", "region")).search
    assert search.method == "max-t"
    assert search.rows == search.tested_rows == 6000
    worst = search.found[0].line
    assert worst.verdict is Verdict.REGRESSED
    assert worst.slice.endswith("and region = north")
    assert worst.slice.startswith("hour >= ")


def test_a_family_that_is_too_large_to_test_at_once_is_an_error(planted):
    rng = np.random.default_rng(0)
    data = planted.frame.drop(columns=["cand", "prod", "bad", "bad_rows"])
    more = {f"c{i}": rng.normal(size=len(data)) for i in range(15)}
    data.assign(**more).to_parquet(planted.root / "data.parquet")
    record = searched(planted, method="max-t")
    assert record.verdict is Verdict.ERROR
    check = record.checks[-1]
    assert check.name == "find_slices"
    assert check.findings[0].problem == (
        'method = "max-t" tests every segment on all rows, and there are more than 2,000 segments, or more '
        "than 33,554,432 rows in all of them."
    )
    assert check.findings[0].remedy == (
        'Name fewer columns or metrics, set depth = 1 or a larger min_rows, or method = "split".'
    )


@pytest.mark.parametrize(
    ("columns", "problem", "remedy"),
    [
        (
            ("regio",),
            "find_slices names the column 'regio', which the dataset does not have.",
            "Did you mean 'region'?",
        ),
        (
            ("y",),
            "find_slices names the column 'y', which is the target.",
            "Segments are made of what is known before a model is asked: leave it out.",
        ),
        (
            ("note", "same"),
            "find_slices found no column to search by (note: 6,000 values, none in 200 rows: free text or "
            "identifiers; same: every row has the same value).",
            "Name columns with levels or numbers in find_slices, or leave find_slices out.",
        ),
    ],
)
def test_columns_that_cannot_be_searched_are_an_error(planted, columns, problem, remedy):
    record = searched(planted, columns=columns)
    assert record.verdict is Verdict.ERROR
    assert record.search is None
    assert [(f.problem, f.remedy) for f in record.checks[-1].findings] == [(problem, remedy)]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"depth": 4},
            "gate 'credit': depth of find_slices must be 1 to 3, got 4.\n  Leave depth out: usual is 2.",
        ),
        (
            {"min_rows": 5},
            "gate 'credit': min_rows of find_slices must be 20 to 1,000,000,000, got 5.\n"
            "  Leave min_rows out: usual is 200.",
        ),
        (
            {"metrics": ("log_los",)},
            "There is no metric 'log_los'.\n  Did you mean 'log_loss'?",
        ),
        (
            {"metrics": ("f1",)},
            "gate 'credit': metrics of find_slices names 'f1', which is none of its metrics.\n"
            "  Known: log_loss, roc_auc.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(project, keys, message):
    with pytest.raises(ConfigurationError) as caught:
        project.record(find_slices=FindSlices(**keys))
    assert str(caught.value) == message


def test_a_first_release_is_not_searched_and_says_so(planted):
    record = planted.record(production="none", find_slices=FindSlices())
    assert record.search is None
    assert "find_slices compares with production: there is none, so nothing is searched" in record.notes


def test_too_few_rows_for_any_segment_find_nothing_and_say_how_many_were_looked_at(project):
    search = project.record(find_slices=FindSlices(min_rows=1500)).search
    assert (search.searched, search.found) == (0, ())


def test_an_assertion_about_regressions_is_about_found_segments_too(planted):
    keys = {"metrics": ("log_loss", "roc_auc"), "max_regression": TWO_POINTS}
    evaluation = planted.evaluation(find_slices=FindSlices(on_found="fail"), **keys)
    everything, one = evaluation.no_regression(), evaluation.no_regression("roc_auc")
    assert everything.verdict is Verdict.REGRESSED
    assert everything.search == evaluation.record().search
    assert everything.lines[-1].slice == "hour >= 18 and region = north"
    assert all(line.metric == "roc_auc" for line in one.lines)
    assert evaluation.beats_baseline().search is None
    assert evaluation.no_regression("log_loss", max_regression=0.5).search is None


def test_a_search_that_fails_gates_is_one_family_with_their_lines(planted):
    """A line that is accused beside the baseline's is not where five segments may accuse, too."""
    line = searched(planted).lines[0]
    # 2.2 standard errors below the tolerance: p = 0.014, and 2 p < 0.05 < 7 p.
    keys = {
        "metrics": ("log_loss",),
        "max_regression": {"*": Tolerance(-line.gain - 2.2 * line.standard_error)},
    }
    search = FindSlices(max_regression=TWO_POINTS)
    alone = planted.record(find_slices=search, **keys)
    together = planted.record(find_slices=replace(search, on_found="fail"), **keys)
    assert [record.lines[0].verdict for record in (alone, together)] == [
        Verdict.REGRESSED,
        Verdict.INCONCLUSIVE,
    ]


def test_hidden_numbers_hide_what_was_found(planted):
    planted.spec = replace(planted.spec, feedback="binary", spending="adaptive", holdout_budget=5)
    assert searched(planted).search is None


@pytest.mark.parametrize("design", ["groups", "strata", "sample_weight"])
def test_every_design_is_searched(planted, design):
    rng = np.random.default_rng(4)
    values = {
        "groups": np.arange(6000) // 3,
        "strata": planted.frame.device.fillna("none"),
        "sample_weight": rng.uniform(0.5, 2, 6000),
    }[design]
    data = planted.frame.drop(columns=["cand", "prod", "bad", "bad_rows"])
    data.assign(extra=values).to_parquet(planted.root / "data.parquet")
    record = planted.record(
        metrics=("log_loss",), max_regression=TWO_POINTS, find_slices=FindSlices(), **{design: "extra"}
    )
    found = record.search.found[0]
    assert found.proven
    assert found.line.slice.startswith(("hour >= 1", "18 <= hour <= "))
    assert found.line.slice.endswith(" and region = north")
    assert ("extra" in record.search.columns) == (design == "strata")
