"""Rows that were planted in training data are found: all of them, and no others, however both are stored."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.data.leakage.luck import digits_that_tell
from pytest_model_gate.data.leakage.plans import Plan
from pytest_model_gate.data.leakage.seek import seek
from pytest_model_gate.data.leakage.sought import Asked
from pytest_model_gate.data.sources.memory import FrameDataset, TableDataset

COLUMNS = ("a", "b", "c")


def frame(n, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": rng.normal(size=n),
            "b": rng.integers(0, 50, n),
            "c": rng.choice(["x", "y", "z"], n),
            "y": rng.integers(0, 2, n),
            "id": np.arange(n) + 10**6 * seed,
            "g": rng.integers(0, 1000, n) + 10**4 * seed,
            "t": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 100, n) + 100 * seed, "D"),
        }
    )


def dataset(rows, batch=None):
    import pyarrow as pa

    size = 2**28 if batch is None else batch * 40
    if any(getattr(dtype, "tz", None) is not None for dtype in rows.dtypes):
        # pyarrow asks pandas for such a column in a way that pandas warns of.
        columns = tuple((name, str(rows[name].dtype)) for name in rows)
        return FrameDataset("train", "train", "sha256:0", rows, columns, batch_bytes=size)
    return TableDataset("train", "train", "sha256:0", pa.Table.from_pandas(rows), batch_bytes=size)


def find(holdout, training, *, batch=None, holdout_batch=None, **asked):
    step = holdout_batch or max(1, len(holdout))
    asked = Asked(**{"columns": COLUMNS, "target": "y", **asked})

    def frames(columns):
        return (holdout[list(columns)].iloc[i : i + step] for i in range(0, max(1, len(holdout)), step))

    return seek(frames, dataset(training, batch), asked, {})


def test_planted_rows_are_found_with_and_without_their_labels():
    holdout, training = frame(500, 1), frame(3000, 2)
    planted = holdout.iloc[[3, 3, 77, 400]].copy()
    planted.iloc[2, planted.columns.get_loc("y")] ^= 1
    found = find(holdout, pd.concat([training, planted], ignore_index=True))
    assert np.flatnonzero(found.exact.rows).tolist() == [3, 77, 400]
    assert (found.exact.distinct, found.exact.training) == (3, 4)
    assert np.flatnonzero(found.labelled.rows).tolist() == [3, 400]
    assert (found.labelled.distinct, found.labelled.training) == (2, 3)
    assert (found.rows, found.training_rows) == (500, 3004)


def test_rows_that_are_there_twice_in_the_holdout_are_counted_once_each():
    holdout = pd.concat([frame(100, 1), frame(100, 1).iloc[[5]]], ignore_index=True)
    found = find(holdout, pd.concat([frame(300, 2), holdout.iloc[[5]]], ignore_index=True))
    assert np.flatnonzero(found.exact.rows).tolist() == [5, 100]
    assert (found.exact.distinct, found.exact.training, found.repeated) == (1, 1, 2)


def as_stored(rows, how):
    """Return the same values, stored in another way."""
    rows = rows.copy()
    if how == "categories":
        rows["c"] = rows["c"].astype("category")
        rows["b"] = rows["b"].astype("category")
    elif how == "wide":
        rows["b"] = rows["b"].astype("float64")
    elif how == "narrow":
        rows["b"], rows["y"] = rows["b"].astype("int8"), rows["y"].astype(bool)
    elif how == "nullable":
        rows["b"], rows["a"] = rows["b"].astype("Int32"), rows["a"].astype("Float64")
    elif how == "backwards":
        rows = rows.iloc[:, ::-1]
    return rows


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    planted=st.lists(st.integers(0, 23), max_size=8),
    how=st.sampled_from(["as they are", "categories", "wide", "narrow", "nullable", "backwards"]),
    batch=st.sampled_from([None, 1, 7, 16]),
    holdout_batch=st.sampled_from([None, 1, 11]),
    blank=st.booleans(),
)
def test_what_was_planted_is_found_however_it_is_stored(seed, planted, how, batch, holdout_batch, blank):
    holdout, training = frame(24, 1), frame(50, 2)
    if blank:
        holdout.loc[::3, "a"] = np.nan
        holdout.loc[::4, "c"] = None
    mixed = pd.concat([training, holdout.iloc[planted]], ignore_index=True)
    mixed = as_stored(mixed.sample(frac=1, random_state=seed % 2**32), how)
    found = find(holdout, mixed, batch=batch, holdout_batch=holdout_batch, near=3, key=("id",), groups="g")
    expected = sorted(set(planted))
    assert np.flatnonzero(found.exact.rows).tolist() == expected
    assert np.flatnonzero(found.labelled.rows).tolist() == expected
    assert np.flatnonzero(found.key.rows).tolist() == expected
    assert found.exact.training == found.key.training == len(planted)
    groups = set(holdout["g"].iloc[planted])
    assert np.flatnonzero(found.groups.rows).tolist() == np.flatnonzero(holdout["g"].isin(groups)).tolist()
    assert found.groups.distinct == len(groups)
    assert found.near is None or not found.near.rows.any()


@settings(max_examples=15)
@given(order=st.permutations(range(40)), batch=st.sampled_from([None, 3]))
def test_the_order_of_the_holdout_changes_which_rows_and_nothing_else(order, batch):
    holdout, training = frame(40, 1), pd.concat([frame(80, 2), frame(40, 1).iloc[::9]], ignore_index=True)
    plain, mixed = find(holdout, training), find(holdout.iloc[order], training, batch=batch)
    assert mixed.exact.rows.tolist() == plain.exact.rows[order].tolist()
    assert mixed.exact.order.tolist() == plain.exact.order[order].tolist()
    assert (mixed.exact.distinct, mixed.digits, mixed.chance) == (
        plain.exact.distinct,
        plain.digits,
        plain.chance,
    )


def test_all_of_the_holdout_in_training_is_found():
    holdout = frame(1000, 1)
    found = find(holdout, holdout.sample(frac=1, random_state=3), batch=100, near=3)
    assert found.exact.rows.all()
    assert found.exact.training == 1000
    assert not found.near.rows.any()


def test_rows_without_a_key_are_nobodys_and_counted():
    holdout, training = frame(50, 1), frame(80, 2)
    holdout["id"] = holdout["id"].astype("float64")
    training["id"] = training["id"].astype("float64")
    holdout.loc[:2, "id"] = np.nan
    training.loc[:3, "id"] = np.nan
    training.loc[4, "id"] = holdout["id"].iloc[9]
    found = find(holdout, training, key=("id",))
    assert np.flatnonzero(found.key.rows).tolist() == [9]
    assert found.key.missing == (3, 4)


def test_a_key_may_take_several_columns():
    holdout, training = frame(50, 1), frame(80, 2)
    training.loc[0, ["id", "g"]] = holdout.loc[7, ["id", "g"]].to_numpy()
    training.loc[1, "id"] = holdout.loc[8, "id"]
    found = find(holdout, training, key=("id", "g"))
    assert np.flatnonzero(found.key.rows).tolist() == [7]


# -- nearly equal rows ------------------------------------------------------------------------------------


def numbers(n, seed, columns=6):
    rng = np.random.default_rng(seed)
    made = pd.DataFrame(rng.lognormal(size=(n, columns)), columns=[f"x{i}" for i in range(columns)])
    return made.assign(k=rng.integers(0, 5, n), y=0)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.map(lambda value: float(f"{value:.3g}")),
        lambda rows: rows.astype("float32").astype("float64"),
        lambda rows: rows * (1 + 1e-7),
        lambda rows: rows - rows * 1e-9,
    ],
    ids=["rounded", "through float32", "scaled up", "scaled down"],
)
def test_rounded_and_jittered_rows_are_found(change):
    holdout, training = numbers(1500, 1), numbers(6000, 2)
    floats = [name for name in holdout if name.startswith("x")]
    copies = holdout.iloc[100:200].copy()
    copies[floats] = change(copies[floats])
    asked = {"columns": (*floats, "k"), "near": 3}
    found = find(holdout, pd.concat([training, copies], ignore_index=True), **asked)
    assert found.digits == 3
    assert not found.exact.rows.any()
    where = np.flatnonzero(found.near.rows)
    assert set(where) <= set(range(100, 200))
    # A row is missed where one of its numbers is at a border of one grid and another at one of the other.
    assert len(where) >= 99


def test_a_number_at_a_border_of_rounding_is_found_by_the_second_grid():
    holdout, training = numbers(1500, 1), numbers(6000, 2)
    holdout.loc[10, "x0"] = 1.23499999
    copy = holdout.iloc[[10]].assign(x0=1.23500001)
    columns = (*(f"x{i}" for i in range(6)), "k")
    found = find(holdout, pd.concat([training, copy]), columns=columns, near=3)
    assert (found.digits, np.flatnonzero(found.near.rows).tolist()) == (3, [10])


def test_what_else_differs_is_not_nearly_equal():
    holdout, training = numbers(300, 1), numbers(500, 2)
    copy = holdout.iloc[[7]].assign(k=99)
    found = find(
        holdout,
        pd.concat([training, copy * 1.0]),
        columns=(*(f"x{i}" for i in range(6)), "k"),
        near=3,
    )
    assert not found.near.rows.any()


def test_few_columns_need_more_digits_before_agreement_is_more_than_chance():
    holdout, training = numbers(2000, 1, columns=2), numbers(8000, 2, columns=2)
    copies = holdout.iloc[:20].copy()
    copies[["x0", "x1"]] *= 1 + 1e-11
    found = find(holdout, pd.concat([training, copies]), columns=("x0", "x1", "k"), near=3)
    assert 5 < found.digits < 10
    assert np.flatnonzero(found.near.rows).tolist() == list(range(20))


def test_columns_that_depend_on_each_other_are_not_taken_for_many():
    """Celsius, Fahrenheit and Kelvin are one column: as if independent, three digits would do."""
    rng = np.random.default_rng(3)

    def rows(n):
        made = pd.DataFrame({"c": rng.uniform(0, 100, n)})
        return made.assign(f=made["c"] * 9 / 5 + 32, k=made["c"] + 273.15, y=0)

    holdout, training = rows(1000), rows(4000)
    found = find(holdout, training, columns=("c", "f", "k"), near=3)
    assert found.digits > 5
    assert not found.near.rows.any()


def test_copies_inside_of_the_holdout_do_not_hide_copies_in_training():
    """Rows were jittered and doubled before the split: the holdout has such pairs itself."""
    whole = numbers(4000, 1)
    floats = [f"x{i}" for i in range(6)]
    copies = whole.copy()
    copies[floats] *= 1 + 1e-8
    mixed = pd.concat([whole, copies], ignore_index=True).sample(frac=1, random_state=0)
    found = find(mixed.iloc[:1000], mixed.iloc[1000:], columns=(*floats, "k"), near=3)
    assert found.digits == 3
    assert found.near.rows.mean() > 0.8


def test_digits_are_told_by_the_rows_and_not_by_their_order():
    plans = (Plan("x0", "float"), Plan("x1", "float"))
    rows = numbers(3000, 4, columns=2)
    asked = {"near": 3, "rows": 3000, "training_rows": 9000}
    plain = digits_that_tell([rows], plans, **asked)
    mixed = rows.sample(frac=1, random_state=1)
    assert digits_that_tell([mixed.iloc[:1000], mixed.iloc[1000:]], plans, **asked) == plain


def test_nothing_is_nearly_equal_by_chance():
    """Sixty samples that have nothing to do with each other, of columns of several kinds."""
    accused = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)

        def rows(n, rng=rng):
            base = rng.normal(size=n)
            return pd.DataFrame(
                {
                    "a": base,
                    "b": np.where(rng.random(n) < 0.6, 0.0, rng.exponential(size=n)),
                    "d": base * 3 + 1,
                    "k": rng.integers(0, 4, n),
                    "y": 0,
                }
            )

        found = find(rows(400), rows(1600), columns=("a", "b", "d", "k"), near=2)
        accused += bool(found.near.rows.any())
    assert accused <= 2


# -- times ------------------------------------------------------------------------------------------------


def test_holdout_rows_before_the_end_of_training_are_found():
    holdout, training = frame(100, 1), frame(300, 2)
    holdout["t"] = pd.date_range("2024-03-01", periods=100, freq="D")
    training["t"] = pd.date_range("2023-05-17", periods=300, freq="D")  # until 2024-03-11
    found = find(holdout, training, time="t").times
    assert found.rows.sum() == 11
    assert found.training_after == 11
    assert (found.says(found.begins), found.says(found.ends)) == ("2024-03-01", "2024-03-11")
    clean = find(holdout, training.iloc[:289], time="t").times
    assert not clean.rows.any()
    assert clean.training_after == 0


def test_time_zones_are_compared_as_moments():
    holdout, training = frame(2, 1), frame(2, 2)
    holdout["t"] = pd.to_datetime(["2024-03-01 00:30"] * 2).tz_localize("Europe/Berlin")
    training["t"] = pd.to_datetime(["2024-02-29 23:00"] * 2).tz_localize("UTC")
    found = find(holdout, training, time="t").times
    assert found.says(found.begins) == "2024-02-29 23:30:00 UTC"
    assert not found.rows.any()
    training["t"] += pd.Timedelta(hours=1)
    assert find(holdout, training, time="t").times.rows.all()


def test_years_are_times_and_rows_without_one_are_counted():
    holdout, training = frame(4, 1), frame(3, 2)
    holdout["t"], training["t"] = [2013.0, 2014.0, np.nan, 2015.0], [2012, 2013, 2011]
    found = find(holdout, training, time="t").times
    assert found.rows.tolist() == [True, False, False, False]
    assert (found.missing, found.training_missing, found.says(found.ends)) == (1, 0, "2013")
