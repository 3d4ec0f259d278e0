"""Whether the holdout of a gate was seen in training: findings, verdicts, metrics without those rows."""

import datetime
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate import wire
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.gate.pinning import pin_beside
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import Leakage

COLUMNS = ["id", "x", "z", "y", "region"]


class Training:
    """A project with training data of its own, into which rows of the holdout can be mixed."""

    def __init__(self, project):
        self.project = project
        rng = np.random.default_rng(1)
        x, z = rng.normal(size=6000), rng.normal(size=6000)
        self.train = pd.DataFrame(
            {
                "id": np.arange(6000) + 100_000,
                "x": x,
                "z": z,
                "y": (x + z + rng.normal(size=6000) > 0).astype("int64"),
                "region": rng.choice(["isle", "north", "south"], 6000),
            }
        )

    def mix(self, rows):
        """Put rows of the holdout at the end of the training data."""
        planted = self.project.frame[COLUMNS].iloc[rows]
        self.train = pd.concat([self.train, planted], ignore_index=True)

    def evaluation(self, *, pin=True, spec=None, train="train.parquet", **keys):
        self.train.to_parquet(self.project.root / "train.parquet", index=False)
        return self.project.evaluation(pin=pin, leakage=Leakage(train=train, **keys), **(spec or {}))

    def record(self, **keys):
        return self.evaluation(**keys).record()


@pytest.fixture
def leaky(project):
    return Training(project)


def finding(record, rule):
    """Return the one finding of a rule."""
    check = next(check for check in record.checks if check.name == "leakage")
    (found,) = [item for item in check.findings if item.rule == rule]
    return found


def count(record, kind):
    return next(item for item in record.leakage.counts if item.kind == kind)


def check_of(record):
    return next(check for check in record.checks if check.name == "leakage")


def test_clean_training_data_pass_and_say_so(leaky):
    record = leaky.record()
    assert record.verdict is Verdict.PASS
    assert check_of(record).summary == "0 rows   train.parquet, 6,000 rows, pinned now"
    assert record.leakage.columns == ("x", "z", "region")
    assert record.leakage.not_compared == ()
    assert [(item.kind, item.rows) for item in record.leakage.counts] == [
        ("exact", 0),
        ("labelled", 0),
        ("near", 0),
    ]
    assert record.leakage.effects == ()
    assert record.lines
    assert wire.loads(wire.dumps(record)) == record


def test_rows_in_training_make_a_gate_invalid_before_anything_is_judged(leaky):
    leaky.mix([3, 7, 7, 1500])
    leaky.train.loc[6003, "y"] ^= 1
    record = leaky.record()
    assert (record.verdict, record.lines) == (Verdict.INVALID, ())
    assert record.reason == "leakage: 3 rows by features   train.parquet, 6,004 rows, pinned now"
    found = finding(record, "leakage.exact")
    assert found.problem == (
        "3 of 2,000 rows (0.15%) of the holdout stand in train.parquet by 3 columns, 2 of them with the same "
        "'y': 3 distinct rows, 4 training rows."
    )
    assert found.remedy == (
        "Train without these rows, or remove them from the holdout and pin it again. Where different things "
        'have equal features, name what tells them apart: leakage = { ..., key = "id" }, or accept them: '
        "tolerance."
    )
    assert (found.count, found.share, found.rows, found.severity) == (3, 0.0015, (3, 7, 1500), "fail")
    assert found.examples[0] == "x=-0.890592 z=-0.889232 region='isle'"
    assert count(record, "exact").training_rows == 4
    assert count(record, "labelled").rows == 2


def test_metrics_are_told_with_and_without_the_leaked_rows(leaky):
    rows = list(range(0, 2000, 10))
    leaky.mix(rows)
    record = leaky.record()
    effects = {(each.without, each.metric): each for each in record.leakage.effects}
    assert set(effects) == {(way, metric) for way in ("", "exact") for metric in ("roc_auc", "log_loss")}
    from sklearn.metrics import log_loss, roc_auc_score

    clean = leaky.project.frame.drop(index=rows)
    auc = effects["exact", "roc_auc"]
    assert auc.rows == 1800
    assert auc.candidate == pytest.approx(roc_auc_score(clean["y"], clean["cand"]), abs=1e-11)
    assert auc.production == pytest.approx(roc_auc_score(clean["y"], clean["prod"]), abs=1e-11)
    assert auc.gain == pytest.approx(auc.candidate - auc.production, abs=1e-11)
    loss = effects["exact", "log_loss"]
    assert loss.gain == pytest.approx(
        log_loss(clean["y"], clean["prod"]) - log_loss(clean["y"], clean["cand"]), abs=1e-11
    )
    whole = leaky.project.frame
    assert effects["", "roc_auc"].candidate == pytest.approx(
        roc_auc_score(whole["y"], whole["cand"]), abs=1e-11
    )


def test_within_the_tolerance_the_gate_is_judged_and_warns(leaky):
    leaky.mix([3, 7])
    for tolerance in (2, 0.001):
        record = leaky.record(tolerance=tolerance)
        assert record.verdict is Verdict.PASS
        assert record.lines
        said = "2 rows" if tolerance == 2 else "0.1% of the rows"
        found = finding(record, "leakage.exact")
        assert found.problem.endswith(f"2 training rows. Tolerated: {said}.")
        assert (found.severity, found.remedy) == ("warn", "")
        assert len(record.leakage.effects) == 4
    assert leaky.record(tolerance=1).verdict is Verdict.INVALID


def test_a_leak_may_warn_alone(leaky):
    leaky.mix([3])
    record = leaky.record(severity="warn")
    assert record.verdict is Verdict.PASS
    found = finding(record, "leakage.exact")
    assert found.severity == "warn"
    assert found.remedy.startswith("Train without these rows")
    assert not count(record, "exact").fails


def test_the_order_of_rows_changes_no_digit(leaky):
    leaky.mix(list(range(0, 300, 7)))
    plain = leaky.record(key=("id",), groups="region")
    order = np.random.default_rng(1).permutation(len(leaky.project.frame))
    leaky.project.write(leaky.project.frame.iloc[order])
    leaky.train = leaky.train.sample(frac=1, random_state=2).iloc[:, ::-1]
    mixed = leaky.record(key=("id",), groups="region")
    assert mixed.leakage.counts == plain.leakage.counts
    assert mixed.leakage.features == plain.leakage.features
    assert mixed.leakage.effects == plain.leakage.effects
    examples = [
        {item.rule: sorted(item.examples) for item in check_of(record).findings} for record in (plain, mixed)
    ]
    assert examples[0] == examples[1]


def test_keys_and_groups_in_both_are_found(leaky):
    leaky.mix([3, 7, 7])
    record = leaky.record(key=("id",), groups="region")
    key = finding(record, "leakage.key")
    assert key.problem == (
        "2 keys of 'id' stand in the holdout and in train.parquet: 2 of 2,000 rows (0.10%) of the holdout, "
        "3 training rows."
    )
    assert key.examples == ("3", "7")
    groups = finding(record, "leakage.groups")
    assert groups.problem == (
        "3 groups of 'region' stand in the holdout and in train.parquet: all 2,000 rows of the holdout, "
        "6,003 training rows."
    )
    assert groups.examples == ("'isle'", "'north'", "'south'")
    assert groups.remedy == "Split by this column: all rows of a group belong to one side."
    without = {each.without: each for each in record.leakage.effects if each.metric == "roc_auc"}
    assert list(without) == ["", "exact", "key", "groups", "any"]
    assert (without["any"].rows, without["any"].candidate) == (0, None)


def test_a_key_of_another_type_is_a_finding_and_not_zero_rows(leaky):
    leaky.train["id"] = leaky.train["id"].astype(str)
    record = leaky.record(key=("id",))
    assert record.verdict is Verdict.INVALID
    (found,) = check_of(record).findings
    assert found.problem == (
        "Column 'id' (key) holds whole numbers in the holdout and text in the training data, which are never "
        "equal: that no row is found would mean nothing."
    )
    assert found.remedy == "Store the column alike in both."
    assert record.leakage.source == "train.parquet"


def test_keys_that_are_missing_are_a_finding(leaky):
    leaky.train["id"] = leaky.train["id"].astype("Int64")
    leaky.train.loc[:4, "id"] = pd.NA
    record = leaky.record(key=("id",))
    assert record.verdict is Verdict.INVALID
    assert finding(record, "leakage.key").problem == (
        "0 rows of the holdout and 5 of train.parquet have no value in 'id' (key): nobody knows whether they "
        "are the same."
    )


def test_a_feature_of_another_type_is_a_finding(leaky):
    leaky.train["region"] = np.arange(len(leaky.train))
    record = leaky.record()
    assert record.verdict is Verdict.INVALID
    (found,) = check_of(record).findings
    assert found.problem.startswith("Column 'region' holds text in the holdout and whole numbers in")
    assert leaky.record(ignore=("region",)).verdict is Verdict.PASS


def test_the_holdout_as_training_data_is_said_at_once(leaky):
    record = leaky.record(train="data.parquet")
    (found,) = check_of(record).findings
    assert (record.verdict, found.problem) == (
        Verdict.INVALID,
        "leakage.train is the holdout itself, data.parquet: all 2,000 rows were seen in training.",
    )
    copy = (leaky.project.root / "data.parquet").read_bytes()
    (leaky.project.root / "copy.parquet").write_bytes(copy)
    (found,) = check_of(leaky.record(train="copy.parquet")).findings
    assert found.problem == (
        "leakage.train = 'copy.parquet' has the very content of data.parquet: all 2,000 rows were seen in "
        "training."
    )


@pytest.mark.parametrize(
    ("keys", "problem", "remedy"),
    [
        (
            {"key": ("idd",)},
            "data.parquet has no column 'idd'.",
            "Did you mean 'id'? Its columns: id, x, z, y, region.",
        ),
        (
            {"columns": ("x", "w")},
            "data.parquet has no column 'w'.",
            "Its columns: id, x, z, y, region.",
        ),
        (
            {"train": "nothing.parquet"},
            "nothing.parquet: no such file or directory.",
            None,
        ),
    ],
)
def test_what_is_not_there_is_an_error(leaky, keys, problem, remedy):
    record = leaky.record(**keys)
    (found,) = check_of(record).findings
    assert record.verdict is Verdict.ERROR
    assert remedy is None or (found.problem, found.remedy) == (problem, remedy)
    assert "nothing.parquet" in found.problem or remedy is not None


def test_training_data_without_rows_prove_nothing(leaky):
    leaky.train = leaky.train.iloc[:0]
    record = leaky.record()
    (found,) = check_of(record).findings
    assert (record.verdict, found.problem) == (
        Verdict.ERROR,
        "train.parquet has no rows: that no row of the holdout stands in it means nothing.",
    )


def test_training_data_without_features_prove_nothing(leaky):
    leaky.train = leaky.train[["id", "y"]]
    record = leaky.record(key=("id",))
    (found,) = check_of(record).findings
    assert (record.verdict, found.problem) == (
        Verdict.ERROR,
        "train.parquet has none of the features of the holdout: there is nothing to compare rows by.",
    )


def test_a_column_that_is_empty_on_one_side_proves_nothing(leaky):
    leaky.train["region"] = None
    (found,) = check_of(leaky.record()).findings
    assert found.problem.startswith(
        "Column 'region' holds text in the holdout and nothing in the training data"
    )


def test_a_holdout_without_rows_or_columns_proves_nothing(leaky):
    leaky.evaluation()
    leaky.project.write(leaky.project.frame.iloc[:0])
    evaluation = leaky.project.evaluation(leakage=Leakage(train="train.parquet"))
    (found,) = check_of(evaluation.leakage()).findings
    assert found.problem == ("data.parquet has no rows to judge: that none of them was seen means nothing.")
    record = leaky.record(columns=("y",))
    assert record.verdict is Verdict.ERROR
    assert check_of(record).findings[0].problem.startswith("train.parquet has none of the features")


def test_nested_values_and_dates_are_compared_and_shown(leaky):
    def more(frame):
        n = len(frame)
        return frame.assign(
            pair=[[1, 2.5]] * n,
            day=[datetime.date(2024, 1, 1)] * n,
            price=[Decimal("1.10")] * n,
            clock=[datetime.time(1, 2)] * n,
            raw=[b"x"] * n,
        )

    leaky.mix([3])
    leaky.train = more(leaky.train)
    more(leaky.project.frame[COLUMNS]).to_parquet(leaky.project.root / "data.parquet")
    record = leaky.record(columns=("pair", "day", "clock", "raw", "price", "x"))
    found = finding(record, "leakage.exact")
    assert (found.count, found.examples) == (1, ("pair=[1.  2.5] day=2024-01-01 clock=01:02:00 raw=b'x'",))


def test_training_data_without_the_target_are_compared_by_features(leaky):
    leaky.mix([3])
    leaky.train = leaky.train.drop(columns="y")
    found = finding(leaky.record(), "leakage.exact")
    assert "its target 'y' cannot be compared: 1 distinct row" in found.problem


def test_features_that_training_lacks_are_said(leaky):
    leaky.mix([3])
    leaky.train = leaky.train.drop(columns="region")
    record = leaky.record()
    found = finding(record, "leakage.columns")
    assert (found.severity, found.problem) == (
        "warn",
        "train.parquet lacks 1 feature of the holdout: region. Rows are compared by the others.",
    )
    assert record.leakage.not_compared == (("region", "not in the training data"),)
    assert count(record, "exact").rows == 1


def test_a_number_of_each_row_hides_no_row(leaky):
    """Predictions do not say what was read: a column of row numbers is left out, and the record says so."""
    leaky.mix([3, 9])
    leaky.project.frame["row"] = np.arange(2000)
    leaky.project.frame[[*COLUMNS, "row"]].to_parquet(leaky.project.root / "data.parquet")
    leaky.train["row"] = np.arange(len(leaky.train))
    record = leaky.record()
    assert count(record, "exact").rows == 2
    assert record.leakage.not_compared == (("row", "another value in every row, as a key has"),)


def test_rows_that_are_not_judged_do_not_leak(leaky):
    leaky.mix([3, 9])
    frame = leaky.project.frame
    frame["y"] = frame["y"].astype("Int64")
    frame.loc[3, "y"] = pd.NA
    leaky.project.write(frame)
    record = leaky.record(spec={"drop_missing_target": True})
    assert count(record, "exact").rows == 1
    assert finding(record, "leakage.exact").rows == (9,)
    assert record.leakage.rows == 1999
    assert record.leakage.effects[-1].rows == 1998


def test_training_after_the_holdout_begins(leaky):
    leaky.project.frame["day"] = pd.date_range("2024-01-01", periods=2000, freq="h")
    leaky.project.frame[[*COLUMNS, "day"]].to_parquet(leaky.project.root / "data.parquet")
    leaky.train["day"] = pd.date_range(end="2024-01-01 09:00", periods=len(leaky.train), freq="h")
    record = leaky.record(time="day")
    assert record.verdict is Verdict.INVALID
    found = finding(record, "leakage.time")
    assert found.problem == (
        "train.parquet goes on to 2024-01-01 09:00:00 and the holdout begins at 2024-01-01 ('day'): 10 of "
        "2,000 rows (0.50%) of the holdout are not after the end of training, 10 training rows not before "
        "the start of the holdout."
    )
    assert found.remedy == (
        "Train on rows before 2024-01-01 only, or judge on rows after 2024-01-01 09:00:00."
    )
    hidden = finding(leaky.record(time="day", spec={"redact_examples": True}), "leakage.time")
    assert "2024" not in f"{hidden.problem} {hidden.remedy} {hidden.examples}"
    assert leaky.record(time="day", tolerance=10).verdict is Verdict.PASS
    leaky.train["day"] -= pd.Timedelta(hours=10)
    assert leaky.record(time="day").verdict is Verdict.PASS
    leaky.train["day"] = leaky.train["day"].dt.tz_localize("UTC")
    record = leaky.record(time="day")
    (found,) = check_of(record).findings
    assert found.problem == (
        "Column 'day' (time) holds dates without a time zone in the holdout and dates with a time zone in "
        "the training data: which came first cannot be told."
    )


def test_text_is_no_time(leaky):
    record = leaky.record(time="region")
    (found,) = check_of(record).findings
    assert found.problem == (
        "Column 'region' (time) must hold dates or numbers to tell what came first, got text."
    )


def test_a_feature_that_tells_the_answer_is_found(leaky):
    rng = np.random.default_rng(3)
    for frame in (leaky.project.frame, leaky.train):
        frame["paid_back"] = 10.0 - 9 * frame["y"] + rng.normal(size=len(frame))
        frame["noise"] = [f"n{i}" for i in rng.integers(0, 1500, len(frame))]
    leaky.project.frame[[*COLUMNS, "paid_back", "noise"]].to_parquet(leaky.project.root / "data.parquet")
    record = leaky.record()
    assert record.verdict is Verdict.INVALID
    found = finding(record, "leakage.single_feature")
    assert found.subject == "paid_back"
    assert found.problem.startswith("'paid_back' alone predicts the target (class 1): an AUC of 1")
    assert found.problem.endswith("on 2,000 rows; more than 0.99 is too good to be true.")
    assert found.remedy == (
        "Is it known when the prediction is made? If not, train without it; if so, "
        'leakage = { ..., ignore = ["paid_back"] }.'
    )
    assert [each.feature for each in record.leakage.features if each.proven] == ["paid_back"]
    assert leaky.record(ignore=("paid_back",)).verdict is Verdict.PASS
    assert leaky.record(single_feature={}).verdict is Verdict.PASS


def test_a_target_that_no_feature_can_be_asked_for_is_an_error_and_leaks_are_told_all_the_same(leaky):
    leaky.mix([3])
    frame = leaky.project.frame
    frame["y"] = frame["y"].astype("Int64")
    frame.loc[9, "y"] = pd.NA
    leaky.project.write(frame)
    record = leaky.evaluation().leakage()
    assert count(record, "exact").rows == 1
    assert finding(record, "leakage.single_feature").problem == (
        "Single features cannot be asked for the target: 1 of 2,000 rows (0.05%) has no value in 'y' "
        "(target)."
    )
    clean = leaky.evaluation(train="train.parquet", tolerance=1).leakage()
    assert clean.verdict is Verdict.ERROR


def test_an_asserted_part_fails_on_leaky_rows_too(leaky):
    leaky.mix([3])
    evaluation = leaky.evaluation()
    for record in (
        evaluation.no_regression("roc_auc"),
        evaluation.at_least("roc_auc", 0.5),
        evaluation.leakage(),
    ):
        assert record.verdict is Verdict.INVALID
    assert evaluation.leakage().asked == "leakage"
    assert evaluation.leakage().leakage.leaked == 1
    assert evaluation.pinned().verdict is Verdict.PASS
    assert evaluation.pinned().leakage is None


def test_an_assertion_without_training_data_is_an_error(project):
    record = project.evaluation().leakage()
    assert record.verdict is Verdict.ERROR
    (found,) = check_of(record).findings
    assert (found.problem, found.remedy) == (
        "gate 'credit' does not say what its models were trained on.",
        'Give it leakage = "data/train.parquet".',
    )


def test_leaks_are_told_beside_other_trouble(leaky):
    leaky.mix([3])
    record = leaky.record(spec={"candidate": "predictions:nothing.parquet#cand"})
    assert {check.name for check in record.checks if check.fails} == {"candidate", "leakage"}


def test_training_data_are_pinned_where_the_dataset_is(leaky):
    assert leaky.record().leakage.pin == "pinned now"
    assert leaky.record(pin=False).leakage.pin == "pinned"
    leaky.mix([3])
    record = leaky.record(pin=False)
    assert (record.verdict, record.leakage.pin) == (Verdict.INVALID, "changed")
    assert check_of(record).findings[0].problem.startswith("train.parquet is not what model-gate.lock pins")
    (leaky.project.root / "model-gate.lock").unlink()
    leaky.train = leaky.train.iloc[:6000]
    leaky.project.record()
    record = leaky.record(pin=False)
    assert (record.verdict, record.leakage.pin) == (Verdict.PASS, "not pinned")
    spec = replace(leaky.project.spec, leakage=Leakage(train="train.parquet"))
    ((source, check),) = pin_beside(spec, leaky.project.registry, check_only=True)
    assert (source, check.name, check.summary) == ("train.parquet", "leakage", "not pinned")
    ((_, check),) = pin_beside(spec, leaky.project.registry)
    assert check.summary == "pinned now"
    assert leaky.record(pin=False).leakage.pin == "pinned"
    assert pin_beside(leaky.project.spec, leaky.project.registry) == ()


def test_numbers_are_kept_from_who_may_not_see_them(leaky):
    leaky.mix([3])
    assert leaky.record(spec={"holdout_budget": 5}).leakage.effects == ()
    kept = leaky.record(severity="warn", spec={"feedback": "binary", "holdout_budget": 5})
    assert (kept.leakage.effects, count(kept, "exact").rows) == ((), 1)
    counted = leaky.evaluation(severity="warn", spec={"holdout_budget": 5})
    assert counted.record().leakage.effects
    assert counted.leakage().leakage.effects == ()  # asked alone it is no use, and shows no numbers
    hidden = leaky.record(spec={"redact_examples": True})
    assert all(item.examples == () for item in check_of(hidden).findings)


def test_looking_for_leaks_makes_no_new_use_of_a_holdout(leaky):
    plain = leaky.project.evaluation(holdout_budget=5).record()
    looked = leaky.record(spec={"holdout_budget": 5})
    assert plain.holdout.number == looked.holdout.number == 1


def test_regression_is_asked_for_the_share_that_is_explained(tmp_path):
    rng = np.random.default_rng(0)

    def rows(n):
        made = pd.DataFrame({"x": rng.normal(size=n), "k": rng.integers(0, 9, n)})
        made["price"] = made["x"] * 3 + rng.normal(size=n)
        return made.assign(price_with_tax=made["price"] * 1.19, good=made["x"] * 3, poor=made["x"])

    from pytest_model_gate.gate.evaluate import Evaluation
    from pytest_model_gate.gate.names import checked
    from pytest_model_gate.gate.registry import build_registry
    from pytest_model_gate.spec import GateSpec

    holdout = rows(3000).assign(id=np.arange(3000))
    holdout.drop(columns=["good", "poor"]).to_parquet(tmp_path / "data.parquet")
    holdout[["id", "good", "poor"]].to_parquet(tmp_path / "scores.parquet")
    rows(9000).drop(columns=["good", "poor"]).to_parquet(tmp_path / "train.parquet")
    registry = build_registry()
    spec = GateSpec(
        name="price",
        candidate="predictions:scores.parquet#good",
        production="predictions:scores.parquet#poor",
        baseline="mean",
        dataset="data.parquet",
        target="price",
        metrics=("mean_absolute_error",),
        key="id",
        root=str(tmp_path),
        leakage=Leakage(train="train.parquet"),
    )
    record = Evaluation(checked(spec, registry), registry, pin=True).record()
    found = finding(record, "leakage.single_feature")
    assert found.subject == "price_with_tax"
    assert found.problem.startswith("'price_with_tax' alone predicts the target: an R2 of 0.99")
    assert record.leakage.features[0].statistic == "r2"


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"tolerance": -1}, "tolerance must be a number of rows or a share below 1, got -1."),
        ({"tolerance": 1.5}, "tolerance must be a number of rows or a share below 1, got 1.5."),
        ({"near": 0}, "near must be 1 to 15 digits, got 0."),
        ({"single_feature": {"auc": 0.9}}, "single_feature names 'auc', which is no measure of one feature."),
        ({"single_feature": {"r2": 1.0}}, "single_feature.r2 must be between 0 and 1, got 1.0."),
        ({"key": ("y",)}, "key names 'y', which is the target of the gate."),
    ],
)
def test_values_that_make_no_sense_are_refused(leaky, keys, what):
    with pytest.raises(ConfigurationError) as caught:
        leaky.evaluation(**keys)
    assert caught.value.what == f"gate 'credit': leakage.{what}"
