"""Delta tables: a version stays what it was pinned as, and what can go wrong is said plainly."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import datetime
import json
import shutil
import struct
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from pytest_model_gate.errors import ConfigurationError, ModelGateError, UnavailableError
from systems.versioned_gates import (
    ROWS,
    VersionedGate,
    everything,
    findings,
    opened,
    rows,
    still_version_1,
    table,
)


def said(root, source, kind=ModelGateError, **context):
    with pytest.raises(kind) as error:
        everything(opened(root, source, **context))
    return str(error.value)


@pytest.fixture
def gate(tmp_path):
    write_deltalake(tmp_path / "holdout", table(1))
    return VersionedGate(tmp_path, "delta:holdout")


def overwrite(root, version=2):
    write_deltalake(root / "holdout", table(version), mode="overwrite")


def test_the_gate_reads_what_was_pinned_after_the_table_moved_on(gate):
    identity = DeltaTable(gate.root / "holdout").metadata().id
    still_version_1(gate, lambda: overwrite(gate.root))
    assert gate.pinned.source == "delta:holdout"
    assert gate.pinned.version == f"0 of {identity}"
    assert gate.judge().dataset.resolved == f"delta:holdout@0 (table {identity})"
    assert gate.pin().dataset.pin == "pinned now, changed"
    assert gate.pinned.version == f"1 of {identity}"
    assert gate.pinned.rows == ROWS + 10


def test_a_version_that_was_named(tmp_path):
    write_deltalake(tmp_path / "holdout", table(1))
    overwrite(tmp_path)
    old, new = (opened(tmp_path, f"delta:holdout@{number}") for number in (0, 1))
    assert old.source == "delta:holdout@0"
    assert old.columns == (("id", "int64"), ("y", "int64"), ("region", "string"))
    pd.testing.assert_frame_equal(everything(old), rows(1))
    pd.testing.assert_frame_equal(everything(new, ["region", "id"]), rows(2)[["region", "id"]])
    assert old.digest != new.digest
    assert opened(tmp_path, "delta:holdout").digest == new.digest


def test_the_same_rows_have_the_digest_of_the_same_table_from_a_function(tmp_path, monkeypatch):
    write_deltalake(tmp_path / "holdout", table(1))
    module = type(sys)("delta_rows_of_a_test")
    module.load = lambda: table(1)
    monkeypatch.setitem(sys.modules, "delta_rows_of_a_test", module)
    function = opened(tmp_path, "python:delta_rows_of_a_test:load")
    assert opened(tmp_path, "delta:holdout").digest == function.digest


def test_a_table_that_was_made_anew_is_another_one(gate):
    gate.pin()
    before = gate.pinned.version.split()[-1]
    shutil.rmtree(gate.root / "holdout")
    # The same rows under the same number: only the table's id is another.
    write_deltalake(gate.root / "holdout", table(1))
    after = DeltaTable(gate.root / "holdout").metadata().id
    record = gate.judge()
    assert record.verdict == "invalid"
    assert findings(record)[0] == (
        "'delta:holdout' is another table than the one that was pinned: it was made anew under the same path "
        f"({before} is pinned, {after} is there).\n"
        "  Bring the old table back, or run `model-gate pin` if the new one is meant."
    )
    assert gate.pin().dataset.pin == "pinned now, changed"


def test_partitions_and_a_column_that_came_later(tmp_path):
    day = datetime.date(2024, 1, 1)
    first = pa.table({"a": [1, 2, 3], "p": ["ä b/%", None, "x"], "d": [day] * 3})
    write_deltalake(tmp_path / "t", first, partition_by=["p", "d"])
    second = pa.table({"a": [9], "p": ["x"], "d": [day], "new": [1.5]})
    write_deltalake(tmp_path / "t", second, mode="append", schema_mode="merge")
    dataset = opened(tmp_path, "delta:t")
    assert dataset.columns == (("a", "int64"), ("p", "string"), ("d", "date"), ("new", "float64"))
    frame = everything(dataset).sort_values("a", ignore_index=True)
    assert frame["a"].tolist() == [1, 2, 3, 9]
    assert frame["p"].isna().tolist() == [False, True, False, False]
    assert frame["p"].dropna().tolist() == ["ä b/%", "x", "x"]
    assert frame["d"].tolist() == [day] * 4
    assert frame["new"].isna().tolist() == [True, True, True, False]
    # Columns that no file holds, and that only folders name, can be read by themselves.
    assert everything(dataset, ["d"])["d"].tolist() == [day] * 4
    assert int(everything(dataset, ["new"])["new"].isna().sum()) == 3
    assert opened(tmp_path, "delta:t@0").columns == (("a", "int64"), ("p", "string"), ("d", "date"))


MAPPED = {
    "delta.columnMapping.mode": "name",
    "delta.minReaderVersion": "2",
    "delta.minWriterVersion": "5",
}


def test_column_mapping(tmp_path):
    held = pa.table(
        {
            "a": [1, 2, 3, 4],
            "s": [{"x": i, "y": [{"z": "q"}]} for i in range(4)],
            "p": ["u", "v", "u", "v"],
        }
    )
    plain, mapped = tmp_path / "plain", tmp_path / "mapped"
    write_deltalake(plain, held, partition_by=["p"])
    write_deltalake(mapped, held, partition_by=["p"], configuration=MAPPED)
    for folder in (plain, mapped):
        DeltaTable(folder).delete("a = 2")  # which rewrites files with another engine
    for version in (0, 1):
        frames = [
            everything(opened(tmp_path, f"delta:{name}@{version}")).sort_values("a", ignore_index=True)
            for name in ("plain", "mapped")
        ]
        pd.testing.assert_frame_equal(*frames)
    assert frames[1]["a"].tolist() == [1, 3, 4]
    assert frames[1]["s"].tolist()[2] == {"x": 3, "y": [{"z": "q"}]}
    assert opened(tmp_path, "delta:mapped").columns == opened(tmp_path, "delta:plain").columns


_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def deletion_vector(deleted):
    """Return an inline deletion vector as the protocol of Delta describes it: a roaring bitmap in Z85."""
    array = b"".join(struct.pack("<H", row) for row in deleted)
    roaring = struct.pack("<II", 12346, 1) + struct.pack("<HHI", 0, len(deleted) - 1, 16) + array
    body = struct.pack("<IQI", 1681511377, 1, 0) + roaring
    padded = body + b"\0" * (-len(body) % 4)
    text = ""
    for start in range(0, len(padded), 4):
        number = int.from_bytes(padded[start : start + 4], "big")
        text += "".join(_Z85[number // 85**power % 85] for power in (4, 3, 2, 1, 0))
    return {"storageType": "i", "pathOrInlineDv": text, "sizeInBytes": len(body), "cardinality": len(deleted)}


def delete_by_vector(folder, deleted):
    """Commit a version that deletes rows of the only file without rewriting it, as Spark does."""
    log = folder / "_delta_log"
    actions = [json.loads(line) for line in (log / f"{0:020d}.json").read_text().splitlines()]
    (add,) = (action["add"] for action in actions if "add" in action)
    kept = {key: add[key] for key in ("path", "partitionValues", "size")}
    commit = [
        {"commitInfo": {"operation": "DELETE"}},
        {"remove": {**kept, "deletionTimestamp": 1, "dataChange": True, "extendedFileMetadata": True}},
        {"add": {**add, "deletionVector": deletion_vector(deleted)}},
    ]
    (log / f"{1:020d}.json").write_text("".join(json.dumps(action) + "\n" for action in commit))


def test_deletion_vectors(tmp_path, monkeypatch):
    from pytest_model_gate.data.sources import delta_rows

    folder = tmp_path / "t"
    write_deltalake(
        folder, pa.table({"a": list(range(10))}), configuration={"delta.enableDeletionVectors": "true"}
    )
    delete_by_vector(folder, [2, 5, 6])
    # Another reader agrees that this is what the vector says.
    assert pa.table(DeltaTable(folder).scan().read_all())["a"].to_pylist() == [0, 1, 3, 4, 7, 8, 9]
    digests = set()
    for size in (3, 1 << 17):
        monkeypatch.setattr(delta_rows, "_READ_ROWS", size)
        dataset = opened(tmp_path, "delta:t")
        assert everything(dataset)["a"].tolist() == [0, 1, 3, 4, 7, 8, 9]
        digests.add(dataset.digest)
    assert len(digests) == 1
    assert everything(opened(tmp_path, "delta:t@0"))["a"].tolist() == list(range(10))


def test_files_that_were_vacuumed(gate):
    gate.pin()
    (file,) = DeltaTable(gate.root / "holdout").file_uris()
    overwrite(gate.root)
    newest = DeltaTable(gate.root / "holdout")
    newest.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    record = gate.judge()
    assert record.verdict == "error"
    assert findings(record)[0] == (
        f"'delta:holdout' can no longer be read: its file {file.rpartition('/')[2]} is gone.\n"
        "  VACUUM removes the files of old versions: pin a newer version, and let delta.deletedFileRetentionDuration keep those of pinned ones."
    )


def test_a_version_whose_log_was_cleaned_up(gate):
    gate.pin()
    for _ in range(3):
        overwrite(gate.root)
    DeltaTable(gate.root / "holdout").create_checkpoint()
    (gate.root / "holdout" / "_delta_log" / f"{0:020d}.json").unlink()
    (gate.root / "holdout" / "_delta_log" / f"{1:020d}.json").unlink()
    assert findings(gate.judge())[0] == (
        "Version 0 of the Delta table at holdout can no longer be opened: its log was cleaned up (the newest version is 3).\n"
        "  Pin a newer version, and let delta.logRetentionDuration keep pinned ones for as long as they count."
    )
    assert opened(gate.root, "delta:holdout").rows == ROWS + 10


def test_corrupted_bytes_of_the_same_size(gate):
    gate.pin()
    (name,) = DeltaTable(gate.root / "holdout").file_uris()
    other = gate.root / "other"
    # The same rows but for one cell, written without compression so that the sizes agree.
    changed = rows(1)
    pd.DataFrame(changed).to_parquet(other, compression=None)
    changed.loc[ROWS - 1, "y"] = 1 - changed.loc[ROWS - 1, "y"]
    pd.DataFrame(changed).to_parquet(name, compression=None)
    record = gate.judge()
    assert record.verdict == "invalid"
    assert findings(record)[0].endswith(
        "Same rows and columns, other content. It is the pinned version all the same: what it is made of was damaged or "
        "replaced.\n  Restore what was there, from a backup or another copy; or pin another version."
    )
    with open(name, "r+b") as stream:  # noqa: PTH123 - a path as deltalake gives it
        stream.seek(4)
        stream.write(b"\xff" * 64)
    record = gate.judge()
    assert record.verdict == "invalid"
    text = findings(record)[0]
    assert text.startswith(f"'delta:holdout': its file {name.rpartition('/')[2]} cannot be read: ")
    assert text.endswith("\n  It may be damaged: restore it from a copy, or pin another version.")


def test_what_is_not_there(tmp_path):
    write_deltalake(tmp_path / "t", table(1))
    assert said(tmp_path, "delta:t@7", UnavailableError) == (
        "The Delta table at t has no version 7: its newest is 0.\n"
        "  Check the number, or pin a version that is there."
    )
    assert said(tmp_path, "delta:data/nope@1", UnavailableError) == (
        "There is no Delta table at data/nope.\n"
        f"  Check the path: a table has a folder _delta_log. Relative paths start from {tmp_path.as_posix()}."
    )


@pytest.mark.parametrize("source", ["delta:t@x", "delta:t@-1", "delta:t@", "delta:", "delta:@3"])
def test_what_names_no_version(tmp_path, source):
    assert said(tmp_path, source, ConfigurationError) == (
        f"'{source}' names no version of a Delta table.\n"
        "  Write delta:path@7 for version 7, or delta:path for the newest one."
    )


def test_an_at_further_up_belongs_to_the_path(tmp_path):
    write_deltalake(tmp_path / "me@home" / "t", table(1))
    assert opened(tmp_path, "delta:me@home/t").rows == opened(tmp_path, "delta:me@home/t@0").rows == ROWS


def test_a_feature_that_changes_what_rows_mean(tmp_path):
    write_deltalake(tmp_path / "t", table(1), configuration={"delta.enableDeletionVectors": "true"})
    first = tmp_path / "t" / "_delta_log" / f"{0:020d}.json"
    first.write_text(first.read_text().replace('"deletionVectors"', '"deletionVectors","hiddenRows"'))
    with pytest.raises(ModelGateError) as error:
        opened(tmp_path, "delta:t")
    assert "hiddenRows" in str(error.value)


def test_times_as_spark_writes_them(tmp_path):
    utc = datetime.UTC
    times = [datetime.datetime(2024, 1, 2, 3, 4, 5, 123456, utc), datetime.datetime(9999, 1, 1, tzinfo=utc)]
    held = pa.table({"a": [1, 2], "t": pa.array(times, pa.timestamp("us", "UTC"))})
    write_deltalake(tmp_path / "t", held)
    before = opened(tmp_path, "delta:t")
    (name,) = DeltaTable(tmp_path / "t").file_uris()
    pq.write_table(held, name, use_deprecated_int96_timestamps=True)
    after = opened(tmp_path, "delta:t")
    assert after.columns == (("a", "int64"), ("t", "timestamp[us, tz=UTC]"))
    assert after.digest == before.digest
    assert everything(after)["t"].tolist() == times


def test_a_shallow_clone(tmp_path):
    write_deltalake(tmp_path / "t", table(1))
    first = tmp_path / "t" / "_delta_log" / f"{0:020d}.json"
    first.write_text(first.read_text().replace('"path":"', '"path":"s3://me:s3cret@elsewhere/t/'))
    text = said(tmp_path, "delta:t", UnavailableError)
    assert text.startswith("'delta:t' has files outside of its folder, such as s3://***@elsewhere/t/part-")
    assert text.endswith("\n  Name the table that it was cloned from, or make a deep clone.")


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "deltalake", None)
    assert said(tmp_path, "delta:t@1", UnavailableError) == (
        "'delta:t@1' needs the package deltalake.\n  Run: pip install 'pytest-model-gate[delta]'."
    )
