"""The lock file: one way to write it, every damage named, and what a pin says when the data changed."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import datetime
import os
import tomllib
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.data.lock import (
    DatasetPin,
    Lock,
    ModelPin,
    check_pin,
    pin,
    pin_model,
    read_lock,
    render_lock,
    write_lock,
)
from pytest_model_gate.data.profile import ColumnProfile
from pytest_model_gate.data.sources.builtin import model_gate_dataset
from pytest_model_gate.errors import ConfigurationError, UnavailableError
from pytest_model_gate.results import Check, Finding, Verdict
from pytest_model_gate.spec import SourceContext

DAY = datetime.date(2026, 11, 24)
DIGEST = "sha256:" + "5c0d12ab34ef" + "0" * 52

EXAMPLE = Lock(
    datasets=(
        DatasetPin(
            source="data/holdout.parquet",
            digest=DIGEST,
            rows=30_000,
            columns=(
                ("age", "int64"),
                ("région", "category[string]"),
                ('a "b".c\\\n', "float64"),
                ("", "bool"),
            ),
            created=DAY,
            version="v3",
            resolved="s3://bucket/holdout.parquet, version 3",
            profile=(
                ColumnProfile(name="age", missing=2, low=18, high=2**70, mean=33.5),
                ColumnProfile(name="région", missing=0, distinct=3),
                ColumnProfile(name='a "b".c\\\n', missing=0, low=float("-inf"), high=1e300),
                ColumnProfile(name="", missing=30_000, low="2024-01-01T00:00:00", high="2024-01-02T00:00:00"),
            ),
        ),
    ),
    models=(ModelPin(source="models/old.pkl", digest=DIGEST),),
)

TEXT = f'''\
# Written by `model-gate pin` and `pytest --gate-pin`: commit it, and let only them change it.
version = 1

[datasets."data/holdout.parquet"]
version = "v3"
digest = "{DIGEST}"
rows = 30000
created = 2026-11-24
from = "s3://bucket/holdout.parquet, version 3"

[datasets."data/holdout.parquet".columns]
age = "int64"
"région" = "category[string]"
"a \\"b\\".c\\\\\\u000a" = "float64"
"" = "bool"

[datasets."data/holdout.parquet".profile]
age = {{ missing = 2, low = 18, high = 1180591620717411303424, mean = 33.5 }}
"région" = {{ missing = 0, distinct = 3 }}
"a \\"b\\".c\\\\\\u000a" = {{ missing = 0, low = -inf, high = 1e+300 }}
"" = {{ missing = 30000, low = "2024-01-01T00:00:00", high = "2024-01-02T00:00:00" }}

[models."models/old.pkl"]
digest = "{DIGEST}"
'''


def test_the_text_of_a_lock_file():
    assert render_lock(EXAMPLE) == TEXT
    assert tomllib.loads(TEXT)["datasets"]["data/holdout.parquet"]["rows"] == 30_000


def test_it_is_read_back(tmp_path):
    path = tmp_path / "model-gate.lock"
    write_lock(path, EXAMPLE)
    assert path.read_bytes() == TEXT.encode()
    assert read_lock(path) == EXAMPLE
    assert read_lock(path).model_digests() == {"models/old.pkl": DIGEST}
    assert [item.name for item in tmp_path.iterdir()] == ["model-gate.lock"]


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
digests = st.binary(min_size=32, max_size=32).map(lambda b: f"sha256:{b.hex()}")
ends = st.none() | st.integers() | st.floats(allow_nan=False) | names
profiles = st.builds(
    ColumnProfile,
    name=names,
    missing=st.integers(0, 2**40),
    low=ends,
    high=ends,
    mean=st.none() | st.floats(allow_nan=False),
    distinct=st.none() | st.integers(0, 1_000),
)
dataset_pins = st.builds(
    DatasetPin,
    source=names,
    digest=digests,
    rows=st.integers(0, 2**40),
    columns=st.lists(st.tuples(names, names), max_size=4, unique_by=lambda c: c[0]).map(tuple),
    created=st.dates(),
    version=names,
    resolved=names,
    profile=st.lists(profiles, max_size=4, unique_by=lambda column: column.name).map(tuple),
)


def by_source(pins):
    return tuple(sorted(pins, key=lambda pin: pin.source))


locks = st.builds(
    Lock,
    datasets=st.lists(dataset_pins, max_size=3, unique_by=lambda p: p.source).map(by_source),
    models=st.lists(
        st.builds(ModelPin, source=names, digest=digests), max_size=3, unique_by=lambda p: p.source
    ).map(by_source),
)


@settings(deadline=None, derandomize=True)
@given(lock=locks, seed=st.randoms(use_true_random=False))
def test_every_lock_survives_being_written(tmp_path_factory, lock, seed):
    path = tmp_path_factory.getbasetemp() / "round-trip.lock"
    write_lock(path, lock)
    assert read_lock(path) == lock
    shuffled = list(lock.datasets), list(lock.models)
    for items in shuffled:
        seed.shuffle(items)
    assert render_lock(Lock(datasets=tuple(shuffled[0]), models=tuple(shuffled[1]))) == render_lock(lock)


def test_no_file_is_an_empty_lock(tmp_path):
    assert read_lock(tmp_path / "model-gate.lock") == Lock()


def test_nothing_is_written_where_nothing_changed(tmp_path):
    path = tmp_path / "model-gate.lock"
    write_lock(path, EXAMPLE)
    os.utime(path, ns=(1, 1))
    write_lock(path, read_lock(path))
    assert path.stat().st_mtime_ns == 1
    write_lock(path, Lock())
    assert path.stat().st_mtime_ns != 1


def test_a_link_to_the_lock_file_stays_a_link(tmp_path):
    real = tmp_path / "shared.lock"
    link = tmp_path / "model-gate.lock"
    link.symlink_to(real)
    write_lock(link, EXAMPLE)
    assert link.is_symlink()
    assert read_lock(real) == EXAMPLE


def test_what_cannot_be_written_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model-gate.lock"
    write_lock(path, EXAMPLE)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnavailableError) as error:
        write_lock(path, Lock())
    assert str(error.value) == (
        f"{path.as_posix()} cannot be written: No space left on device.\n"
        "  Check the folder and its permissions; pin where you can commit the file."
    )
    assert read_lock(path) == EXAMPLE
    assert [item.name for item in tmp_path.iterdir()] == ["model-gate.lock"]


RESTORE = "Restore it from version control, or delete it and run `model-gate pin` (or `pytest --gate-pin`)."
AT = 'datasets."data/holdout.parquet"'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("rows = 30000", "rows = "), f"LOCK is not TOML: Invalid value (at line 7, column 8).\n  {RESTORE}"),
        (
            ("rows = 30000", "<<<<<<< HEAD\nrows = 30000\n=======\nrows = 1\n>>>>>>> other"),
            "LOCK line 7 is a mark of a merge conflict.\n"
            "  Take either side, run `model-gate pin` (or `pytest --gate-pin`), and commit the result.",
        ),
        (("rows =", "row ="), f"LOCK has an unknown key 'row' in [{AT}].\n  Did you mean 'rows'?"),
        (("[models.", "[model."), "LOCK has an unknown key 'model'.\n  Did you mean 'models'?"),
        (
            ("rows = 30000", "rows = 30000\nowner = 'me'"),
            f"LOCK has an unknown key 'owner' in [{AT}].\n  Known: version, digest, rows, created, from, columns, profile.",
        ),
        (("rows = 30000\n", ""), f"LOCK has no {AT}.rows.\n  {RESTORE}"),
        (("rows = 30000", "rows = '30000'"), f"LOCK has '30000' as {AT}.rows; a whole number >= 0 was needed.\n  {RESTORE}"),
        (("rows = 30000", "rows = true"), f"LOCK has True as {AT}.rows; a whole number >= 0 was needed.\n  {RESTORE}"),
        (("rows = 30000", "rows = -1"), f"LOCK has -1 as {AT}.rows; a whole number >= 0 was needed.\n  {RESTORE}"),
        (
            ("created = 2026-11-24", "created = '2026-11-24'"),
            f"LOCK has '2026-11-24' as {AT}.created; a date was needed.\n  {RESTORE}",
        ),
        (
            ("created = 2026-11-24", "created = 2026-11-24T00:00:00"),
            f"LOCK has datetime.datetime(2026, 11, 24, 0, 0) as {AT}.created; a date was needed.\n  {RESTORE}",
        ),
        (('age = "int64"', "age = 64"), f"LOCK has 64 as {AT}.columns.age; the name of a type was needed.\n  {RESTORE}"),
        (("5c0d12ab34ef", "5C0D12AB34EF"), f"LOCK has 'sha256:5C0D12AB34EF00000000000000000... as {AT}.digest; "
            f"sha256: and 64 hex digits was needed.\n  {RESTORE}"),
        (("version = 1", "version = 2"), "LOCK: version 1 was needed, got 2.\n"
            "  Use the release of pytest-model-gate that wrote it, or run `model-gate pin` (or `pytest --gate-pin`) "
            "with this one."),
        (("version = 1\n", ""), "LOCK: version 1 was needed, got None.\n"
            "  Use the release of pytest-model-gate that wrote it, or run `model-gate pin` (or `pytest --gate-pin`) "
            "with this one."),
        (('[models."models/old.pkl"]\ndigest', "[models]\ndigest"), f'LOCK has \'{DIGEST[:36]}... as models."digest"; '
            f"a table was needed.\n  {RESTORE}"),
    ],
)  # fmt: skip
def test_damaged_lock_files(tmp_path, change, message):
    path = tmp_path / "model-gate.lock"
    damaged = TEXT.replace(*change)
    assert damaged != TEXT
    path.write_text(damaged, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        read_lock(path)
    assert str(error.value).replace(path.as_posix(), "LOCK") == message


def test_a_lock_file_that_is_no_text(tmp_path):
    path = tmp_path / "model-gate.lock"
    path.write_bytes(b"version = 1\n\xff\xfe")
    with pytest.raises(ConfigurationError) as error:
        read_lock(path)
    assert str(error.value) == f"{path.as_posix()} is not UTF-8 (byte 12).\n  {RESTORE}"
    with pytest.raises(UnavailableError) as error:
        read_lock(tmp_path)
    assert str(error.value).endswith("cannot be read: Is a directory.\n  Check the path and its permissions.")


# ---------------------------------------------------------------------------------------------- pins

FRAME = pd.DataFrame({"age": [41, 37, 29], "region": ["n", "s", "e"]})


@pytest.fixture
def opened(tmp_path):
    def write(frame):
        frame.to_csv(tmp_path / "holdout.csv", index=False)
        return model_gate_dataset("holdout.csv", SourceContext(root=str(tmp_path)))

    return write


def test_what_is_pinned_passes(opened):
    lock = pin(Lock(), opened(FRAME), DAY)
    assert check_pin(lock, opened(FRAME)) == Check(name="pin", verdict=Verdict.PASS, summary="pinned")
    assert lock.dataset("holdout.csv") == DatasetPin(
        source="holdout.csv",
        digest=opened(FRAME).digest,
        rows=3,
        columns=(("age", "int64"), ("region", "string")),
        created=DAY,
        profile=(
            ColumnProfile(name="age", missing=0, low=29, high=41, mean=35.6667),
            ColumnProfile(name="region", missing=0, distinct=3),
        ),
    )


def test_a_lock_of_before_profiles_keeps_its_date(opened):
    lock = pin(Lock(), opened(FRAME), DAY)
    old = replace(lock, datasets=(replace(lock.datasets[0], profile=()),))
    assert pin(old, opened(FRAME), DAY + datetime.timedelta(9)) == lock
    assert pin(lock, opened(FRAME), DAY + datetime.timedelta(9)) is lock


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.assign(age=[41, 37, 28]), "Same rows and columns, other content."),
        (lambda f: f.iloc[::-1], "Same rows and columns, other content."),
        (lambda f: f.iloc[:2], "Rows 3 -> 2."),
        (lambda f: f.rename(columns={"age": "years"}), "Column removed: age; column added: years."),
        (lambda f: f.assign(x=1, y=2), "Columns added: x, y."),
        (lambda f: f.assign(age=[41.5, 37, 29]), "Column retyped: age (int64 -> float64)."),
        (lambda f: f[["region", "age"]], "Same rows, columns in another order."),
        (
            lambda f: f.iloc[:1].drop(columns="region").assign(age=["x"]),
            "Rows 3 -> 1; column removed: region; column retyped: age (int64 -> string).",
        ),
    ],
)
def test_what_changed_is_said(opened, change, said):
    before = opened(FRAME)
    lock = pin(Lock(), before, DAY)
    after = opened(change(FRAME))
    assert check_pin(lock, after) == Check(
        name="pin",
        verdict=Verdict.INVALID,
        summary="changed",
        findings=(
            Finding(
                subject="holdout.csv",
                problem=(
                    f"holdout.csv is not what model-gate.lock pins: {before.digest[:19]} is pinned, "
                    f"{after.digest[:19]} was read. {said}"
                ),
                remedy=(
                    "If it is meant, run `model-gate pin` (or `pytest --gate-pin`) and commit model-gate.lock; "
                    "otherwise restore the data."
                ),
            ),
        ),
    )
    assert check_pin(pin(lock, after, DAY), after).verdict is Verdict.PASS


def test_one_byte_is_enough(opened, tmp_path):
    lock = pin(Lock(), opened(FRAME), DAY)
    path = tmp_path / "holdout.csv"
    path.write_bytes(path.read_bytes().replace(b"29,e", b"29,f"))
    dataset = model_gate_dataset("holdout.csv", SourceContext(root=str(tmp_path)))
    assert check_pin(lock, dataset).summary == "changed"


@pytest.mark.parametrize(
    ("pinned_as", "same", "hint"),
    [
        (None, False, ""),
        ("data/other.csv", False, ""),
        ("data/holdout.csv", False, " Pinned is 'data/holdout.csv'."),
        ("old/train.csv", True, " The same content is pinned as 'old/train.csv'."),
    ],
)
def test_unpinned_data_name_the_command(opened, pinned_as, same, hint):
    dataset = opened(FRAME)
    lock = Lock()
    if pinned_as:
        digest = dataset.digest if same else DIGEST
        lock = Lock(
            datasets=(
                DatasetPin(source=pinned_as, digest=digest, rows=3, columns=dataset.columns, created=DAY),
            )
        )
    finding = Finding(
        subject="holdout.csv",
        problem=f"holdout.csv is not pinned in model-gate.lock.{hint}",
        remedy="Run `model-gate pin` (or `pytest --gate-pin`) and commit model-gate.lock.",
    )
    assert check_pin(lock, dataset) == Check(
        name="pin", verdict=Verdict.INVALID, summary="unpinned", findings=(finding,)
    )


def test_pinning_the_same_content_again_changes_nothing(opened):
    lock = pin(EXAMPLE, opened(FRAME), DAY)
    later = DAY + datetime.timedelta(days=30)
    assert pin(lock, opened(FRAME), later) is lock
    changed = pin(lock, opened(FRAME.iloc[:1]), later)
    assert [(p.source, p.created) for p in changed.datasets] == [
        ("data/holdout.parquet", DAY),
        ("holdout.csv", later),
    ]
    assert changed.models == EXAMPLE.models


def test_models_are_agreed_to_one_by_one():
    other = "sha256:" + "1" * 64
    lock = pin_model(EXAMPLE, "models/a.joblib", other)
    assert lock.model_digests() == {"models/a.joblib": other, "models/old.pkl": DIGEST}
    assert [m.source for m in lock.models] == ["models/a.joblib", "models/old.pkl"]
    assert pin_model(lock, "models/old.pkl", other).model_digests()["models/old.pkl"] == other
    assert pin_model(lock, "models/a.joblib", other) == lock
    assert lock.datasets == EXAMPLE.datasets
