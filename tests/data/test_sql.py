"""Query snapshots: the query runs when it is pinned, and never when something is judged."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import datetime
import decimal
import hashlib
import json
import sqlite3
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.data.sources.sql_results import sorted_rows
from pytest_model_gate.errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    ModelGateError,
    UnavailableError,
    UnreachableError,
)
from pytest_model_gate.gate.pin_diff import diff_pin
from pytest_model_gate.gate.registry import build_registry
from systems.versioned_gates import (
    ROWS,
    VersionedGate,
    everything,
    findings,
    opened,
    rows,
    still_version_1,
)

SOURCE = "sql:queries/holdout.sql"


def write(root, version):
    with sqlite3.connect(root / "warehouse.db") as connection:
        rows(version).to_sql("loans", connection, index=False, if_exists="replace")
    connection.close()


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "holdout.sql").write_text("SELECT id, y, region FROM loans\n")
    write(tmp_path, 1)
    monkeypatch.setenv("MODEL_GATE_SQL", "sqlite:///warehouse.db")
    return tmp_path


def frozen(root):
    return sorted((root / "data" / "snapshots").iterdir())


def said(root, source, kind=ModelGateError, **context):
    with pytest.raises(kind) as error:
        opened(root, source, **context)
    return str(error.value)


def test_the_gate_reads_what_was_pinned_and_no_database(project, monkeypatch):
    gate = VersionedGate(project, SOURCE)

    def write_and_take_away():
        write(project, 2)
        (project / "warehouse.db").rename(project / "elsewhere.db")
        monkeypatch.delenv("MODEL_GATE_SQL")

    still_version_1(gate, write_and_take_away)
    (file,) = frozen(project)
    assert gate.pinned.digest == f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    query = hashlib.sha256(b"SELECT id, y, region FROM loans").hexdigest()
    assert gate.pinned.version == f"{file.stem.removeprefix('holdout-')} of query {query[:12]}"
    today = datetime.datetime.now(datetime.UTC).date()
    assert gate.judge().dataset.resolved == (
        f"data/snapshots/{file.name} (query sha256:{query[:12]}, run {today} at sqlite:///warehouse.db)"
    )
    held = json.loads(pq.read_schema(file).metadata[b"model_gate"])
    assert held["query"] == query
    assert held["when"].startswith(f"{today}T")


def test_pinning_again_asks_again(project):
    gate = VersionedGate(project, SOURCE)
    gate.pin()
    before = gate.pinned
    first = frozen(project)[0].read_bytes()
    gate.pin()
    assert gate.pinned == before
    assert [file.read_bytes() for file in frozen(project)] == [first]
    write(project, 2)
    assert gate.pin().dataset.pin == "pinned now, changed"
    assert gate.pinned.rows == ROWS + 10
    assert len(frozen(project)) == 2


def test_rows_in_another_order_are_the_same_rows(project):
    whole = opened(project, SOURCE, pinning=True)
    for more in ("ORDER BY y", "ORDER BY id DESC", "ORDER BY region, y"):
        (project / "queries" / "holdout.sql").write_text(f"SELECT id, y, region FROM loans {more}")
        other = opened(project, SOURCE, pinning=True)
        assert other.digest == whole.digest
    assert len(frozen(project)) == 1
    pd.testing.assert_frame_equal(everything(whole), rows(1))


def test_another_query_is_not_what_was_pinned(project):
    gate = VersionedGate(project, SOURCE)
    gate.pin()
    (project / "queries" / "holdout.sql").write_text("SELECT id, y, region FROM loans\r\n\r\n")
    assert gate.judge().dataset.pin == "pinned"
    (project / "queries" / "holdout.sql").write_text("SELECT id, y, region FROM loans WHERE id > 9")
    record = gate.judge()
    assert record.verdict == "invalid"
    assert findings(record)[0] == (
        f"The query of '{SOURCE}' is not the one whose result was pinned.\n"
        "  Run `model-gate pin` (or `pytest --gate-pin`) to ask the database again, or restore the query."
    )


def test_a_frozen_result_that_is_gone_damaged_or_another(project):
    gate = VersionedGate(project, SOURCE)
    gate.pin()
    (file,) = frozen(project)
    content = file.read_bytes()
    changed = rows(1).assign(y=lambda frame: 1 - frame["y"])
    changed.to_parquet(file)
    record = gate.judge()
    assert record.verdict == "invalid"
    assert "is not what model-gate.lock pins" in findings(record)[0]
    file.write_bytes(content[:-9] + b"123456789")
    assert gate.judge().verdict == "invalid"
    file.unlink()
    record = gate.judge()
    assert record.verdict == "error"
    assert findings(record)[0] == (
        f"The frozen result of '{SOURCE}' is not there: data/snapshots/{file.name} is missing.\n"
        "  Fetch it from where it is kept (git, git-lfs, DVC), or run `model-gate pin` (or `pytest --gate-pin`) to ask again."
    )


@pytest.mark.parametrize("how", ["another cell", "torn"])
def test_pinning_writes_a_damaged_result_again_and_agrees_to_no_damage(project, how):
    gate = VersionedGate(project, SOURCE)
    gate.pin()
    (file,) = frozen(project)
    if how == "torn":
        file.write_bytes(file.read_bytes()[:-9])
    else:
        rows(1).assign(y=lambda frame: 1 - frame["y"]).to_parquet(file)
    assert gate.judge().verdict == "invalid"
    gate.pin()
    pd.testing.assert_frame_equal(pd.read_parquet(file), rows(1)[["id", "y", "region"]], check_dtype=False)
    assert frozen(project) == [file]
    before = file.read_bytes()
    gate.pin()
    assert file.read_bytes() == before


def test_the_folder_and_the_variable_can_be_others(project, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_SNAPSHOTS", "frozen")
    monkeypatch.setenv("WAREHOUSE", "sqlite:///warehouse.db")
    monkeypatch.delenv("MODEL_GATE_SQL")
    gate = VersionedGate(project, f"{SOURCE}#WAREHOUSE")
    assert gate.pin().dataset.rows == ROWS
    assert gate.judge().dataset.resolved.startswith("frozen/holdout-")


def test_types_are_kept(project):
    (project / "queries" / "types.sql").write_text(
        "SELECT 1 AS whole, 2.5 AS number, 'ü' AS text, NULL AS empty, x'00ff' AS bytes, '12:30' AS time, '100%' AS share"
    )
    dataset = opened(project, "sql:queries/types.sql", pinning=True)
    assert dataset.columns == (
        ("whole", "int64"),
        ("number", "float64"),
        ("text", "string"),
        ("empty", "null"),
        ("bytes", "binary"),
        ("time", "string"),
        ("share", "string"),
    )
    assert everything(dataset).iloc[0].tolist() == [1, 2.5, "ü", None, b"\x00\xff", "12:30", "100%"]


DUCKDB = "duckdb:queries/files.sql"


def test_a_query_over_files_of_this_machine(project, monkeypatch):
    rows(1).to_parquet(project / "part-1.parquet")
    query = """\
        SELECT *, y = 1 AS late, DATE '2024-01-02' + CAST(id AS INTEGER) AS day, CAST(id AS DECIMAL(9, 2)) AS price,
               TIMESTAMPTZ '2024-01-02 03:04:05+02' AS seen, [id, 2] AS tags
        FROM 'part-*.parquet'
    """
    (project / "queries" / "files.sql").write_text(query)
    gate = VersionedGate(project, DUCKDB)
    still_version_1(gate, lambda: rows(2).to_parquet(project / "part-1.parquet"))
    dataset = opened(project, DUCKDB, pinned_versions={DUCKDB: gate.pinned.version})
    assert dict(dataset.columns) == {
        "id": "int64",
        "y": "int64",
        "region": "string",
        "late": "bool",
        "day": "date",
        "price": "decimal128(9, 2)",
        "seen": "timestamp[us, tz=UTC]",
        "tags": "list[int64]",
    }
    first = next(dataset.batches())
    assert first["price"].iloc[0] == decimal.Decimal("0.00")
    assert first["day"].iloc[1] == datetime.date(2024, 1, 3)
    assert first["seen"].iloc[0] == pd.Timestamp("2024-01-02 01:04:05", tz="UTC")
    assert "files of this machine" in dataset.resolved


def test_intervals_have_no_place_in_parquet(project):
    (project / "queries" / "files.sql").write_text("SELECT INTERVAL 1 DAY AS wait")
    assert said(project, DUCKDB, InvalidError, pinning=True) == (
        f"Column 'wait' of '{DUCKDB}' cannot be kept: it holds intervals.\n"
        "  CAST it in the query to a number, for example of seconds."
    )


def test_a_secret_in_the_address_of_a_duckdb_file_is_not_repeated(project, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_SQL", "duckdb:md:loans?motherduck_token=s3cret")
    text = said(project, SOURCE, UnavailableError, pinning=True)
    assert text.startswith(f"There is no database duckdb:md:loans, so '{SOURCE}' cannot be pinned.")
    assert "s3cret" not in text


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT * FROM loans", "Catalog Error: Table with name loans does not exist"),
        ("SELECT * FROM 'nope.parquet'", 'IO Error: No files found that match the pattern "nope.parquet"'),
        ("SELEC 1", 'Parser Error: syntax error at or near "SELEC"'),
        ("SELECT CAST('x' AS INT)", "Conversion Error: Could not convert string 'x' to INT32"),
    ],
)
def test_queries_that_duckdb_refuses(project, query, why):
    (project / "queries" / "files.sql").write_text(query)
    assert said(project, DUCKDB, EvaluationError, pinning=True) == (
        f"The query of '{DUCKDB}' failed: {why}.\n  Run it by itself to see more."
    )


@pytest.mark.parametrize("source", [SOURCE, DUCKDB])
def test_a_diff_leaves_nothing_behind(project, source):
    """What the query finds now is compared, and the project stays as it is."""
    rows(1).to_parquet(project / "loans.parquet", index=False)
    (project / "queries" / "files.sql").write_text("SELECT * FROM 'loans.parquet'")
    gate = VersionedGate(project, source)
    gate.pin()
    write(project, 2)
    rows(2).to_parquet(project / "loans.parquet", index=False)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    diff = diff_pin(gate.spec, build_registry())
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
    assert not diff.same
    assert (diff.pinned.rows, diff.now.rows) == (ROWS, ROWS + 10)
    assert diff.rows.added == 10
    # It counts once it is pinned.
    assert gate.judge().dataset.rows == ROWS


def test_a_duckdb_file_is_a_database(project, monkeypatch):
    import duckdb

    loans = rows(1)
    with duckdb.connect(str(project / "loans.duckdb")) as connection:
        connection.register("held", loans)
        connection.execute("CREATE TABLE loans AS SELECT * FROM held")
    monkeypatch.setenv("MODEL_GATE_SQL", "duckdb:///loans.duckdb")
    gate = VersionedGate(project, SOURCE)
    assert gate.pin().dataset.rows == ROWS
    # The same rows from another database: the same frozen file.
    monkeypatch.setenv("MODEL_GATE_SQL", "sqlite:///warehouse.db")
    assert gate.pin().dataset.pin == "pinned"
    monkeypatch.setenv("MODEL_GATE_SQL", "duckdb:nope.duckdb")
    assert said(project, SOURCE, UnavailableError, pinning=True) == (
        f"There is no database duckdb:nope.duckdb, so '{SOURCE}' cannot be pinned.\n"
        "  Check the path; relative ones start from the project's root."
    )


def test_what_judges_asks_nothing(project):
    assert said(project, SOURCE, UnavailableError) == (
        f"The result of '{SOURCE}' was never frozen, and a gate asks no database.\n"
        "  Run `model-gate pin` (or `pytest --gate-pin`) where the database can be asked, and keep the file that it writes."
    )
    assert not (project / "data").exists()


def test_a_query_changes_nothing(project):
    (project / "queries" / "evil.sql").write_text("DELETE FROM loans RETURNING id")
    opened(project, "sql:queries/evil.sql", pinning=True)
    with sqlite3.connect(project / "warehouse.db") as connection:
        assert connection.execute("SELECT count(*) FROM loans").fetchone() == (ROWS,)
    connection.close()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELECT * FROM nope",
            f"The query of '{SOURCE}' failed at sqlite:///warehouse.db: OperationalError: no such table: nope.\n"
            "  Run it by itself to see more.",
        ),
        (
            "SELECT id FROM loans WHERE id < 0",
            f"The query of '{SOURCE}' found no rows.\n  Run it by itself to see why.",
        ),
        (
            "DELETE FROM loans",
            f"The query of '{SOURCE}' returns no rows: it is no SELECT.\n  Write one SELECT.",
        ),
        (
            "SELECT id, y AS id FROM loans",
            f"{SOURCE} has more than one column named 'id'.\n"
            "  Rename or remove the duplicates: a gate names columns.",
        ),
        (
            "SELECT 1 AS a UNION ALL SELECT 'x'",
            f"Column 'a' of '{SOURCE}' cannot be kept: it holds int, str.\n"
            "  CAST it in the query to one type: a number of 64 bits, text, a date or a time.",
        ),
    ],
)
def test_queries_that_give_nothing_to_judge(project, query, message):
    (project / "queries" / "holdout.sql").write_text(query)
    assert said(project, SOURCE, pinning=True) == message
    assert not (project / "data").exists()


def test_types_that_differ_between_pieces(project, monkeypatch):
    from pytest_model_gate.data.sources import sql_results

    monkeypatch.setattr(sql_results, "_ROWS", 1)
    (project / "queries" / "holdout.sql").write_text("SELECT 1 AS a UNION ALL SELECT 2.5")
    assert everything(opened(project, SOURCE, pinning=True))["a"].tolist() == [1.0, 2.5]
    (project / "queries" / "holdout.sql").write_text("SELECT 1 AS a UNION ALL SELECT 'x'")
    text = said(project, SOURCE, InvalidError, pinning=True)
    assert text.startswith(f"The rows of '{SOURCE}' have several types in one column: ")
    assert text.endswith("\n  CAST the column in the query.")


def test_addresses_that_lead_nowhere(project, monkeypatch):
    for address, kind, message in (
        (
            None,
            ConfigurationError,
            f"MODEL_GATE_SQL is not set: it says which database '{SOURCE}' asks.\n"
            "  Set it to an address of SQLAlchemy, for example postgresql+psycopg://me@db.example/loans. Only pinning needs it.",
        ),
        (
            "me:s3cret@db",
            ConfigurationError,
            f"MODEL_GATE_SQL holds no address of a database, so '{SOURCE}' cannot be pinned.\n"
            "  Write it as SQLAlchemy does, for example postgresql+psycopg://me@db.example/loans.",
        ),
        (
            "sqlite:///nope.db",
            UnavailableError,
            f"There is no database sqlite:///nope.db, so '{SOURCE}' cannot be pinned.\n"
            "  Check the path; relative ones start from the project's root.",
        ),
    ):
        if address is None:
            monkeypatch.delenv("MODEL_GATE_SQL")
        else:
            monkeypatch.setenv("MODEL_GATE_SQL", address)
        assert said(project, SOURCE, kind, pinning=True) == message
    assert not (project / "nope.db").exists()


def test_a_driver_that_is_not_there(project, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_SQL", "nosuchdb://me:s3cret@db.example/loans")
    text = said(project, SOURCE, UnavailableError, pinning=True)
    assert text.startswith(
        "The driver of nosuchdb://***@db.example/loans is not installed: NoSuchModuleError: "
    )
    assert "s3cret" not in text


def test_a_damaged_database(project):
    (project / "warehouse.db").write_bytes(b"no database at all, but long enough to be looked at" * 40)
    assert said(project, SOURCE, EvaluationError, pinning=True) == (
        f"The query of '{SOURCE}' failed at sqlite:///warehouse.db: DatabaseError: file is not a database.\n"
        "  Run it by itself to see more."
    )


def test_a_server_that_says_nothing(project, monkeypatch):
    import sqlalchemy

    def connect(self):
        raise TimeoutError

    # No driver of a server is installed here; what it costs to wait is tested where `within` is.
    monkeypatch.setattr(sqlalchemy.Engine, "connect", connect)
    assert said(project, SOURCE, UnreachableError, pinning=True) == (
        f"The database sqlite:///warehouse.db did not answer within 10 seconds, so '{SOURCE}' cannot be pinned.\n"
        "  Start it, or correct MODEL_GATE_SQL. MODEL_GATE_TIMEOUT sets how long to wait."
    )


@pytest.mark.parametrize(
    "source", ["sql:", "sql:holdout", "sql:a.sql#", "sql:a.sql#no-name", "duckdb:a.sql#X"]
)
def test_what_names_no_query(project, source):
    assert said(project, source, ConfigurationError, pinning=True) == (
        f"'{source}' names no query.\n"
        "  Write sql:queries/holdout.sql, or sql:queries/holdout.sql#VARIABLE where that environment variable has the address of the database, or duckdb:queries/holdout.sql for a query over files."
    )


def test_a_query_that_is_not_there(project):
    assert said(project, "sql:queries/nope.sql", UnavailableError) == (
        "There is no query queries/nope.sql, so 'sql:queries/nope.sql' could not be opened.\n"
        f"  Relative paths start from {project.as_posix()}."
    )


@pytest.mark.parametrize(
    ("package", "source", "extra"), [("sqlalchemy", SOURCE, "sql"), ("duckdb", DUCKDB, "duckdb")]
)
def test_without_the_package(project, monkeypatch, package, source, extra):
    (project / "queries" / "files.sql").write_text("SELECT 1")
    monkeypatch.setitem(sys.modules, package, None)
    assert said(project, source, UnavailableError, pinning=True) == (
        f"'{source}' needs the package {package}.\n  Run: pip install 'pytest-model-gate[{extra}]'."
    )


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(0, 3),
            st.none() | st.sampled_from([0.5, float("nan"), -1.0]),
            st.none() | st.lists(st.integers(0, 2), max_size=2),
            st.none() | st.sampled_from(["a", "b"]),
        ),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_sorted_rows_do_not_depend_on_the_order_they_came_in(held, random):
    def made(items):
        table = pa.table(
            {
                "a": pa.array([row[0] for row in items], pa.int64()),
                "b": pa.array([row[1] for row in items], pa.float64()),
                "c": pa.array([row[2] for row in items], pa.list_(pa.int64())),
                "d": pa.array([row[3] for row in items], pa.string())
                .dictionary_encode()
                .cast(pa.dictionary(pa.int32(), pa.string())),
            }
        )
        return repr(sorted_rows("sql:x", table).to_pylist())

    shuffled = list(held)
    random.shuffle(shuffled)
    assert made(shuffled) == made(held)
