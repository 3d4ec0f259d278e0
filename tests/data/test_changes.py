"""What changed between two versions: planted changes are counted exactly, whatever the order and batches."""
# ruff: noqa: E501 - one case stays on one line

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.data import changes as module
from pytest_model_gate.data.changes import RowChanges, row_changes


class Rows:
    """A dataset in batches of one's choice."""

    source = resolved = digest = "rows"

    def __init__(self, frame: pd.DataFrame, size: int = 7) -> None:
        self.frame, self.size, self.rows = frame, size, len(frame)
        self.columns = tuple((name, str(kind)) for name, kind in frame.dtypes.items())

    def batches(self, columns=None):
        frame = self.frame if columns is None else self.frame[list(columns)]
        for start in range(0, max(1, len(frame)), self.size):
            yield frame.iloc[start : start + self.size]


def table(n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "x": rng.normal(size=n),
            "kind": pd.Categorical(rng.choice(["a", "b", "c"], n)),
            "tags": [[i, i + 1] for i in range(n)],
        }
    )


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    added=st.integers(0, 5),
    removed=st.integers(0, 10),
    changed=st.integers(0, 10),
    seed=st.integers(0, 9),
    size=st.integers(1, 60),
)
def test_planted_changes(added: int, removed: int, changed: int, seed: int, size: int) -> None:
    old = table()
    new = old.copy()
    new.loc[new.index[:changed], "x"] += 1
    new = new.drop(index=range(40 - removed, 40))
    more = table(added).assign(id=lambda frame: frame["id"] + 100, x=9.0)
    new = pd.concat([new, more] if added else [new], ignore_index=True).sample(frac=1, random_state=seed)
    keyed = row_changes(Rows(old), Rows(new, size), "id")
    same = 40 - removed - changed
    assert (keyed.added, keyed.removed, keyed.changed, keyed.same) == (added, removed, changed, same)
    assert keyed.columns == ((("x", changed),) if changed else ())
    whole = row_changes(Rows(old), Rows(new, size))
    assert (whole.added, whole.removed, whole.changed, whole.same) == (
        added + changed, removed + changed, 0, same,
    )  # fmt: skip


def test_equal_rows_are_counted() -> None:
    old, new = pd.DataFrame({"x": [1, 1, 1, 2]}), pd.DataFrame({"x": [1, 2, 2]})
    assert row_changes(Rows(old), Rows(new)) == RowChanges(
        key="", added=1, removed=2, changed=0, same=2, compared=("x",)
    )


def test_categories_are_compared_by_what_they_say() -> None:
    old = table()
    new = old.assign(kind=old["kind"].cat.reorder_categories(["c", "a", "b"]))
    assert row_changes(Rows(old), Rows(new), "id").same == 40


def test_only_columns_of_both_are_compared() -> None:
    old = table()
    new = old.assign(x=old["x"].astype("float32"), more=1).drop(columns="tags")
    found = row_changes(Rows(old), Rows(new), "id")
    assert found.compared == ("id", "kind")
    assert (found.same, found.changed) == (40, 0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda frame: frame.assign(id=7), "the key 'id' occurs more than once"),
        (lambda frame: frame.assign(id=frame["id"].astype(str)), "the key 'id' is not in both versions with the same type"),
        (lambda frame: frame.drop(columns="id"), "the key 'id' is not in both versions with the same type"),
    ],
)  # fmt: skip
def test_a_key_that_is_none(change, why: str) -> None:
    found = row_changes(Rows(table()), Rows(change(table())), "id")
    assert (found.key, found.why_no_key) == ("", why)


def test_only_some_of_many_changes_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOKED_UP", 5)
    found = row_changes(Rows(table()), Rows(table().assign(x=0.0)), "id")
    assert (found.changed, found.looked_up, found.columns) == (40, 5, (("x", 5),))


def test_versions_without_rows() -> None:
    empty = Rows(table(0))
    assert (row_changes(empty, Rows(table()), "id").added, row_changes(Rows(table()), empty).removed) == (
        40,
        40,
    )
