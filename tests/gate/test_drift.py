"""Two tables compared: what each kind of column answers, and what cannot be compared."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate import DriftRecord, drift
from pytest_model_gate.errors import ConfigurationError, EvaluationError, InvalidError
from pytest_model_gate.gate.drift_check import drift_check
from pytest_model_gate.gate.evaluate import Evaluation, evaluate
from pytest_model_gate.gate.names import checked
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.report.drift import drift as rendered
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import Drift, DriftAsked, GateSpec
from pytest_model_gate.wire import dumps, loads


def frame(rows: int, *, moved: bool, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    regions = ["north", "south", "west"] + (["moon"] if moved else ["east"])
    return pd.DataFrame(
        {
            "age": rng.normal(40 + 5 * moved, 10, rows).round(),
            "income": rng.lognormal(10, 1, rows),
            "region": rng.choice(regions, rows),
            "note": [
                "x" * int(size) + str(i) for i, size in enumerate(rng.integers(1, 40 + 40 * moved, rows))
            ],
            "member": rng.random(rows) < 0.3,
            "since": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.integers(0, 300, rows) + 200 * moved, "D"),
            "gap": pd.to_timedelta(rng.exponential(1 + moved, rows), "h"),
            "holes": np.where(rng.random(rows) < 0.05 + 0.3 * moved, np.nan, rng.normal(size=rows)),
            "bought": rng.integers(0, 2, rows),
        }
    )


@pytest.fixture(scope="module")
def before():
    return frame(2_000, moved=False, seed=1)


@pytest.fixture(scope="module")
def after():
    return frame(1_500, moved=True, seed=2)


def by_name(record: DriftRecord):
    return {column.column: column for column in record.columns}


def test_every_kind_of_column_is_compared(before, after):
    found = by_name(drift(before, after, target="bought", overall=False))
    assert {name: (column.kind, column.method, column.verdict) for name, column in found.items()} == {
        "age": ("number", "auc", "drifted"),
        "income": ("number", "auc", "pass"),
        "region": ("category", "tv", "drifted"),
        "note": ("text length", "auc", "drifted"),
        "member": ("category", "tv", "pass"),
        "since": ("time", "auc", "drifted"),
        "gap": ("duration", "auc", "drifted"),
        "holes": ("number", "auc", "drifted"),
        "bought": ("category", "tv", "pass"),
    }
    assert found["bought"].part == "target"
    assert found["holes"].reason == "the share of missing values changed by more than 0.05"
    assert found["holes"].effect < 0.05
    assert (found["region"].new_levels, found["region"].new_levels_count) == (("moon",), 1)
    assert found["region"].new_levels_rows == (after.region == "moon").sum()
    assert found["region"].vanished_levels == ("east",)
    for column in found.values():
        assert column.low <= column.effect <= column.high
        assert column.p_adjusted >= column.p
        assert column.psi is not None


def test_a_table_beside_another_draw_of_the_same_passes(before):
    record = drift(before, frame(2_000, moved=False, seed=3), target="bought")
    assert [column.verdict for column in record.columns] == ["pass"] * 9
    assert record.overall.verdict == "pass"
    assert record.overall.area == pytest.approx(0.5, abs=0.03)
    # Times give every row away where the two were taken at different times, and the target is no feature.
    assert record.overall.columns == 7


def test_few_rows_cannot_tell(before, after):
    record = drift(before.head(30), after.head(30), target="bought")
    answers = {column.column: column.verdict for column in record.columns}
    assert answers["income"] == answers["member"] == "inconclusive"
    assert record.overall.verdict == "inconclusive"
    assert record.overall.reason == (
        "30 rows of the current data are too few for a classifier, at least 60 are needed"
    )
    few = by_name(drift(before, after.head(8), overall=False))
    assert few["age"].reason == "8 values in the current data are too few, at least 20 are needed"


def test_columns_that_only_together_have_moved_are_told_apart():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=3_000), rng.normal(size=3_000)
    independent = pd.DataFrame({"a": a, "b": b})
    together = pd.DataFrame({"a": a, "b": a * 0.9 + b * np.sqrt(1 - 0.81)})
    record = drift(independent, together)
    assert [column.verdict for column in record.columns] == ["pass", "pass"]
    assert record.overall.verdict == "drifted"
    assert record.overall.low > 0.6


def test_neither_the_order_of_rows_nor_of_batches_changes_a_digit(before, after):
    one = drift(before, after, target="bought")
    shuffled = [table.sample(frac=1, random_state=3).reset_index(drop=True) for table in (before, after)]
    assert drift(*shuffled, target="bought") == one


def test_a_folder_and_a_frame_give_the_same(before, after, tmp_path):
    for name, table in (("before", before), ("after", after)):
        (tmp_path / name).mkdir()
        table.head(700).to_parquet(tmp_path / name / "1.parquet")
        table.iloc[700:].to_parquet(tmp_path / name / "2.parquet")
    there = drift("before", "after", target="bought", root=str(tmp_path))
    here = drift(before, after, target="bought")
    assert there.columns == here.columns
    assert there.overall == here.overall
    assert there.digest.startswith("sha256:")


@pytest.mark.parametrize("method", ["ks", "wasserstein", "js", "psi", "cramer_v"])
def test_each_method_tells_what_has_moved(before, after, method):
    found = by_name(drift(before, after, method=method, overall=False, target="bought"))
    suited = "region" if method == "cramer_v" else "age"
    assert found[suited].method == method
    assert found[suited].verdict == "drifted"
    # A name that suits numbers only leaves levels their own default.
    assert found["member"].method == ("tv" if method in ("ks", "wasserstein") else method)
    assert found["member"].verdict == "pass"


def test_a_threshold_is_for_all_columns_or_for_one(before, after):
    assert by_name(drift(before, after, threshold=0.5, overall=False))["age"].verdict == "pass"
    found = by_name(drift(before, after, threshold={"age": 0.4}, overall=False))
    assert (found["age"].threshold, found["age"].verdict) == (0.4, "pass")
    assert found["gap"].threshold == 0.05


def test_psi_is_never_asked_for_more_than_chance_gives(before):
    found = by_name(drift(before.head(60), before.tail(60), method="psi", columns=["age"], overall=False))
    assert found["age"].threshold == pytest.approx(found["age"].psi_null_q95)
    assert found["age"].threshold > 0.1


def test_codes_are_levels_where_somebody_says_so(before, after):
    found = by_name(drift(before, after, method={"bought": "tv", "note": "auc"}, overall=False))
    assert found["bought"].kind == "category"
    with pytest.raises(ConfigurationError, match=r"^method 'tvv' is unknown\.\n  Did you mean 'tv'\?$"):
        drift(before, after, method="tvv")


def test_blocks_widen_what_single_rows_seem_to_know():
    rng = np.random.default_rng(5)

    def table(weeks):
        level = rng.normal(0, 1, len(weeks))
        return pd.DataFrame(
            {
                "week": np.repeat(weeks, 50),
                "sales": np.repeat(level, 50) + rng.normal(0, 0.3, 50 * len(weeks)),
            }
        )

    reference, current = table(range(12)), table(range(100, 112))
    rows = by_name(drift(reference, current, ignore=["week"], overall=False))["sales"]
    blocks = drift(reference, current, blocks="week")
    whole = by_name(blocks)["sales"]
    assert (rows.verdict, whole.verdict) == ("drifted", "inconclusive")
    assert whole.high - whole.low > 3 * (rows.high - rows.low)
    assert blocks.blocks == "week"
    assert dict(blocks.not_compared) == {"week": "names the blocks"}
    found = by_name(drift(reference, current, blocks="week", method={"sales": "ks"}))["sales"]
    assert (found.verdict, found.reason) == (
        "error",
        "Method ks knows nothing of blocks, and column 'sales' is compared by them.",
    )
    few = by_name(drift(reference[reference.week < 3], current, blocks="week"))["sales"]
    assert few.reason == (
        "3 blocks in the reference data are too few to tell how blocks differ, at least 5 are needed"
    )
    holed = reference.assign(week=reference.week.where(reference.week > 0))
    with pytest.raises(InvalidError, match=r"^reference: 50 of 600 rows \(8\.33%\) have no value in 'week'"):
        drift(holed, current, blocks="week")


def test_categories_in_blocks(before, after):
    weeks = lambda table: table.assign(week=np.arange(len(table)) % 20)  # noqa: E731
    found = by_name(drift(weeks(before), weeks(after), blocks="week", target="bought"))
    assert found["region"].verdict == "drifted"
    assert found["region"].p is None


@pytest.mark.parametrize(
    ("there", "here", "reason"),
    [
        (
            [1.0, 2.0],
            ["1", "2"],
            "Column 'a' holds numbers in the reference and text in the current data.",
        ),
        (
            [True, False],
            [1, 0],
            "Column 'a' holds booleans in the reference and numbers in the current data.",
        ),
        (
            [1, 2],
            [datetime.date(2030, 1, 1), datetime.date(2030, 1, 2)],
            "Column 'a' holds numbers in the reference and times in the current data.",
        ),
        (["u", "v"], [[1], [2]], "Column 'a' holds values of type list, which cannot be compared."),
    ],
)
def test_other_types_cannot_be_compared(there, here, reason):
    record = drift(pd.DataFrame({"a": there * 50}), pd.DataFrame({"a": here * 50}), overall=False)
    (column,) = record.columns
    assert (column.verdict, column.reason) == ("error", reason)
    assert drift_check(record).verdict is Verdict.ERROR


def test_what_nobody_can_compare_is_listed_unless_it_is_named():
    table = pd.DataFrame({"a": range(2_000), "b": [[1]] * 2_000})
    record = drift(table, table, overall=False)
    assert dict(record.not_compared) == {
        "b": "Column 'b' holds values of type list, which cannot be compared"
    }
    named = drift(table, table, columns=["a", "b"], overall=False)
    assert [column.verdict for column in named.columns] == ["pass", "error"]


def test_a_column_that_is_not_there_is_named(before, after):
    with pytest.raises(EvaluationError, match=r"^current has no column 'agee'\.\n  Did you mean 'age'\?"):
        drift(before, after, columns=["agee"])
    with pytest.raises(EvaluationError, match=r"^reference has no column 'age'\."):
        drift(before.drop(columns="age"), after, columns=["age"])
    record = drift(before.drop(columns="age"), after.drop(columns="gap"), overall=False)
    assert dict(record.not_compared) == {"age": "not in the reference", "gap": "only in the reference"}
    with pytest.raises(EvaluationError, match=r"have no column that could be compared\."):
        drift(before[["age"]], after[["gap"]])


def test_no_rows_are_no_pass(before):
    with pytest.raises(
        EvaluationError,
        match=r"^The current data \(current\) has no rows: nothing can be compared\.\n  Check how it",
    ):
        drift(before, before.head(0))


def test_a_side_without_values():
    full, empty = pd.DataFrame({"a": np.arange(200.0)}), pd.DataFrame({"a": np.full(200, np.nan)})
    (column,) = drift(full, empty, overall=False).columns
    assert (column.verdict, column.effect) == ("drifted", None)
    assert column.reason == (
        "the share of missing values changed by more than 0.05: no row of the current data has a value"
    )
    (column,) = drift(empty, empty, overall=False).columns
    assert (column.verdict, column.reason) == ("pass", "no row of either has a value")


def test_odd_values(tmp_path):
    odd = pd.DataFrame(
        {
            "größe ✓": [2**80, 1] * 60,
            "infinite": [np.inf, 1.0] * 60,
            "constant": [3] * 120,
            "zone": pd.date_range("2030-01-01", periods=120, tz="Europe/Berlin"),
        }
    )
    odd["größe ✓"] = odd["größe ✓"].astype(float)
    odd.to_parquet(tmp_path / "odd.parquet")
    record = drift("odd.parquet", "odd.parquet", root=str(tmp_path))
    assert {column.column: column.effect for column in record.columns} == {
        "größe ✓": 0,
        "infinite": 0,
        "constant": 0,
        "zone": 0,
    }
    json.dumps(record.columns[0].effect, allow_nan=False)
    (column,) = drift(odd[["infinite"]], odd[["infinite"]], method="wasserstein", overall=False).columns
    assert column.reason == "Infinite values have no distance in standard deviations."


def test_many_new_levels_are_counted_and_a_few_named(before):
    after = before.assign(region=[f"r{i % 500:03}" for i in range(len(before))])
    column = by_name(drift(before, after, columns=["region"], overall=False))["region"]
    assert column.verdict == "drifted"
    assert (column.new_levels_count, column.new_levels_rows, len(column.new_levels)) == (500, 2_000, 10)
    flood = before.assign(region=[f"r{i}" for i in range(len(before))])
    longer = pd.concat([flood] * 1 + [flood.assign(region=flood.region + str(k)) for k in range(6)])
    column = by_name(drift(before, longer.reset_index(drop=True), columns=["region"], overall=False))[
        "region"
    ]
    assert column.verdict == "drifted"
    assert column.new_levels_rows == len(longer)


def test_the_check_is_as_grave_as_what_was_asked(before, after):
    warned = drift(before, after, target="bought", overall=False)
    check = drift_check(warned)
    assert check.verdict is Verdict.PASS
    assert check.summary == "9 columns against reference: 6 drifted, 1 with new levels"
    assert {finding.severity for finding in check.findings} == {"warn"}
    failing = drift_check(replace(warned, on_drift="fail", on_new_levels="warn"))
    assert failing.verdict is Verdict.INVALID
    new = next(finding for finding in failing.findings if finding.rule == "new levels")
    assert new.severity == "warn"
    rows = (after.region == "moon").sum()
    assert new.problem == f"region: 1 value in {rows} rows that the reference does not have: moon."
    unclear = drift(before.head(100), after.head(100)[["income", "member"]], overall=False)
    assert drift_check(replace(unclear, on_inconclusive="fail")).verdict is Verdict.INCONCLUSIVE
    assert drift_check(replace(unclear, on_inconclusive="pass")).verdict is Verdict.PASS


def test_the_section_of_the_report_is_bounded_and_shows_the_worst_first(before):
    rng = np.random.default_rng(0)
    wide = pd.DataFrame({f"c{i:02}": rng.normal(0, 1, 500) for i in range(40)})
    moved = wide + np.linspace(0, 1, 40)
    record = drift(wide, moved, overall=False)
    lines = [line.text for line in rendered(record)]
    assert len(lines) < 15
    assert lines[0] == "  reference   reference   500 rows"
    assert lines[2].split()[0] == "c39"
    assert lines[-2].startswith("  and ")
    assert lines[-2].endswith(" more columns that did not pass (-v shows them)")
    assert len(list(rendered(record, verbosity=1))) == 42


# -- a gate ------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path, before, after):
    def written(table, name):
        table.to_parquet(tmp_path / f"{name}.parquet")

    rng = np.random.default_rng(5)
    for name, table in (("train", before), ("holdout", after), ("same", frame(1_500, moved=False, seed=4))):
        written(table.assign(bought=(table.age / 50 + rng.normal(size=len(table)) > 0.8).astype(int)), name)
    (tmp_path / "ages.py").write_text(
        "import numpy as np\n"
        "class Model:\n"
        "    classes_ = np.array([0, 1])\n"
        "    feature_names_in_ = np.array(['age'])\n"
        "    def predict(self, x): return (self.predict_proba(x)[:, 1] > 0.5).astype(int)\n"
        "    def predict_proba(self, x):\n"
        "        p = 1 / (1 + np.exp(-(x['age'].to_numpy() - 40) / 10)); return np.stack([1 - p, p], 1)\n"
        "def make(): return Model()\n"
    )

    def spec(dataset="holdout.parquet", **keys):
        return GateSpec(
            name="shop",
            candidate="python:ages:make",
            production="none",
            floors={"roc_auc": 0.5},
            dataset=dataset,
            target="bought",
            metrics=("roc_auc",),
            trusted_sources=("python:*",),
            root=str(tmp_path),
            **keys,
        )

    return spec


def judged(spec):
    return evaluate(spec, pin=True)


def test_a_gate_that_only_warns_judges_and_tells(project):
    record = judged(project(drift=Drift(reference="train.parquet")))
    assert record.verdict is Verdict.PASS
    assert record.drift.source == "train.parquet"
    assert record.drift.digest.startswith("sha256:")
    parts = {column.column: column.part for column in record.drift.columns}
    assert (parts["bought"], parts["prediction"]) == ("target", "prediction")
    assert by_name(record.drift)["prediction"].verdict == "drifted"
    assert record.warnings >= 6
    assert loads(dumps(record)) == record


def test_a_gate_that_fails_for_drift_is_invalid_and_judges_nothing(project):
    record = judged(project(drift=Drift(reference="train.parquet", on_drift="fail")))
    assert record.verdict is Verdict.INVALID
    assert record.reason.startswith("drift: 10 columns against train.parquet: 7 drifted")
    assert record.lines == ()
    same = project("same.parquet", drift=Drift(reference="train.parquet", on_drift="fail"))
    assert judged(same).verdict is Verdict.PASS


def test_a_reference_that_is_not_there_is_an_error(project):
    record = judged(project(drift=Drift(reference="trian.parquet")))
    assert record.verdict is Verdict.ERROR
    assert record.reason == "drift: trian.parquet does not exist."


def test_the_times_and_keys_of_a_gate_are_no_drift(project):
    record = judged(project(time="since", drift=Drift(reference="train.parquet", overall=False)))
    assert ("since", "the gate's time: later data are later") in record.drift.not_compared
    named = Drift(reference="train.parquet", columns=("since",), overall=False)
    assert by_name(judged(project(time="since", drift=named)).drift)["since"].verdict == "drifted"


def test_a_candidate_that_cannot_score_the_reference_says_so(project, tmp_path):
    table = pd.read_parquet(tmp_path / "train.parquet")
    table.drop(columns="age").to_parquet(tmp_path / "train.parquet")
    record = judged(project(drift=Drift(reference="train.parquet", overall=False)))
    why = dict(record.drift.not_compared)
    assert why["prediction"] == "the candidate cannot score the reference: the reference has no column 'age'"
    asked = judged(project(drift=Drift(reference="train.parquet", overall=False, predictions=True)))
    assert asked.verdict is Verdict.ERROR


def test_an_assertion_asks_for_what_it_says(project):
    spec = project()
    registry = build_registry()
    evaluation = Evaluation(checked(spec, registry), registry, pin=True)
    passed = evaluation.no_drift(DriftAsked(reference="train.parquet", columns=["income", "member"]))
    assert (passed.verdict, passed.asked) == (Verdict.PASS, "no_drift(income, member)")
    failed = evaluation.no_drift(DriftAsked(reference="train.parquet", columns="age", overall=False))
    assert failed.verdict is Verdict.INVALID
    assert failed.reason == "drift: 1 column against train.parquet: 1 drifted"
    assert (
        evaluation.no_drift(
            DriftAsked(reference="train.parquet", columns="age", threshold=0.4, overall=False)
        ).verdict
        == "pass"
    )
    unasked = evaluation.no_drift(DriftAsked(columns=["age"]))
    assert unasked.verdict is Verdict.ERROR
    assert unasked.reason == "drift: gate 'shop' does not say what its data are compared with."
    unknown = evaluation.no_drift(DriftAsked(reference="train.parquet", method="magic"))
    assert unknown.reason == "drift: method 'magic' is unknown."


def test_a_pinned_reference_has_to_be_the_pinned_one(project, tmp_path):
    # Another gate has pinned the training data; then they changed.
    assert judged(project("train.parquet")).verdict is Verdict.PASS
    assert judged(project()).verdict is Verdict.PASS
    pd.read_parquet(tmp_path / "train.parquet").head(1_000).to_parquet(tmp_path / "train.parquet")
    record = evaluate(project(drift=Drift(reference="train.parquet")))
    assert record.verdict is Verdict.INVALID
    assert [check.name for check in record.checks if check.fails] == ["drift"]


def test_the_dataset_is_no_reference_of_itself(project):
    record = judged(project(drift=Drift(reference="holdout.parquet")))
    assert record.verdict is Verdict.ERROR
    assert record.reason == (
        "drift: The reference holdout.parquet has the very content of the dataset: nothing could have moved."
    )


def test_predictions_from_a_file_are_those_of_the_dataset(project, tmp_path):
    for name in ("train", "holdout"):
        table = pd.read_parquet(tmp_path / f"{name}.parquet")
        table.assign(id=range(len(table))).to_parquet(tmp_path / f"{name}.parquet")
    scores = pd.read_parquet(tmp_path / "holdout.parquet")
    pd.DataFrame({"id": scores.id, "p": np.clip(scores.age / 100, 0, 1)}).to_parquet(tmp_path / "p.parquet")
    spec = replace(
        project(key="id", drift=Drift(reference="train.parquet", overall=False)),
        candidate="predictions:p.parquet#p",
    )
    record = judged(spec)
    why = dict(record.drift.not_compared)
    assert why["prediction"] == "predictions that were made elsewhere are of the dataset only"
    assert why["id"] == "the gate's key: it names rows"
