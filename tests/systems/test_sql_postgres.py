"""Query snapshots from a real PostgreSQL server: types, wrong passwords, servers that are down or silent."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import datetime
import decimal
import gc
import socket
import time

import pandas as pd
import pytest

from pytest_model_gate.errors import ModelGateError, UnavailableError, UnreachableError
from systems.postgres import PASSWORD, postgres
from systems.versioned_gates import ROWS, VersionedGate, everything, opened, rows, still_version_1

__all__ = ["postgres"]

pytestmark = pytest.mark.postgres
SOURCE = "sql:holdout.sql"


@pytest.fixture
def project(tmp_path, postgres, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_SQL", postgres.address)
    (tmp_path / "holdout.sql").write_text("SELECT id, y, region FROM loans\n")
    write(postgres, 1)
    return tmp_path


def write(postgres, version):
    values = ", ".join(f"({row.id}, {row.y}, '{row.region}')" for row in rows(version).itertuples())
    postgres.run(
        "DROP TABLE IF EXISTS loans",
        "CREATE TABLE loans (id bigint PRIMARY KEY, y integer, region text)",
        f"INSERT INTO loans VALUES {values}",
    )


def said(root, kind=ModelGateError):
    with pytest.raises(kind) as error:
        opened(root, SOURCE, pinning=True)
    return str(error.value)


def test_the_gate_reads_what_was_pinned_and_no_database(project, postgres, monkeypatch):
    gate = VersionedGate(project, SOURCE)

    def write_and_take_away():
        write(postgres, 2)
        monkeypatch.setenv("MODEL_GATE_SQL", "postgresql+pg8000://127.0.0.1:9/postgres")

    still_version_1(gate, write_and_take_away)
    resolved = gate.judge().dataset.resolved
    assert resolved.endswith(f" at postgresql+pg8000://***@127.0.0.1:{postgres.port}/postgres)")
    assert PASSWORD not in resolved
    monkeypatch.setenv("MODEL_GATE_SQL", postgres.address)
    assert gate.pin().dataset.rows == ROWS + 10


def test_types_are_kept(project):
    (project / "holdout.sql").write_text(
        """
        SELECT 1::int AS i, 2.50::numeric(9, 2) AS price, 'ü'::text AS t, true AS b, '\\x00ff'::bytea AS raw,
               '2024-01-02'::date AS day, '2024-01-02 03:04:05+02'::timestamptz AS seen,
               '0b8a6f5e-0000-4000-8000-000000000000'::uuid AS id, ARRAY[1, 2] AS tags, 0.5::float8 AS x,
               '12:30'::time AS at, 'a:b' AS colon, '100%' AS share
        """
    )
    dataset = opened(project, SOURCE, pinning=True)
    assert dict(dataset.columns) == {
        "i": "int64",
        "price": "decimal128(3, 2)",
        "t": "string",
        "b": "bool",
        "raw": "binary",
        "day": "date",
        "seen": "timestamp[us, tz=UTC]",
        "id": "string",
        "tags": "list[int64]",
        "x": "float64",
        "at": "time64[us]",
        "colon": "string",
        "share": "string",
    }
    row = everything(dataset).iloc[0]
    assert row["price"] == decimal.Decimal("2.50")
    assert row["day"] == datetime.date(2024, 1, 2)
    assert row["seen"] == pd.Timestamp("2024-01-02 01:04:05", tz="UTC")
    assert row["raw"] == b"\x00\xff"
    assert row["share"] == "100%"


def test_rows_in_another_order_are_the_same_rows(project, postgres):
    before = opened(project, SOURCE, pinning=True)
    # PostgreSQL moves a row that is written to behind all others.
    postgres.run("UPDATE loans SET y = y WHERE id = 0", "VACUUM FULL loans")
    assert opened(project, SOURCE, pinning=True).digest == before.digest


def test_a_query_changes_nothing(project, postgres):
    (project / "holdout.sql").write_text("DELETE FROM loans RETURNING id")
    # Rows come through a cursor of the server, and PostgreSQL has none for what writes.
    assert "failed at" in said(project)
    (project / "holdout.sql").write_text("SELECT count(*) AS n FROM loans")
    assert everything(opened(project, SOURCE, pinning=True))["n"].tolist() == [ROWS]


def test_a_wrong_password(project, postgres, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_SQL", postgres.address.replace(PASSWORD, "wr0ng"))
    text = said(project, UnavailableError)
    where = f"postgresql+pg8000://***@127.0.0.1:{postgres.port}/postgres"
    assert text.startswith(f"The database {where} cannot be reached, so '{SOURCE}' cannot be pinned: ")
    assert "password authentication failed" in text
    assert "wr0ng" not in text
    assert text.endswith("\n  Start it, or correct the address and the password in MODEL_GATE_SQL.")


def test_a_server_that_is_down(project, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_SQL", "postgresql+pg8000://me:s3cret@127.0.0.1:9/loans")
    text = said(project, UnavailableError)
    assert text.startswith(
        f"The database postgresql+pg8000://***@127.0.0.1:9/loans cannot be reached, so '{SOURCE}' cannot be pinned: "
    )
    assert "s3cret" not in text


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the driver's, when it is left waiting
def test_a_server_that_says_nothing(project, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        where = f"127.0.0.1:{silent.getsockname()[1]}/loans"
        monkeypatch.setenv("MODEL_GATE_SQL", f"postgresql+pg8000://me:s3cret@{where}")
        monkeypatch.setenv("MODEL_GATE_TIMEOUT", "0.2")
        assert said(project, UnreachableError) == (
            f"The database postgresql+pg8000://***@{where} did not answer within 0.4 seconds, so '{SOURCE}' cannot be pinned.\n"
            "  Start it, or correct MODEL_GATE_SQL. MODEL_GATE_TIMEOUT sets how long to wait."
        )
    time.sleep(0.3)  # the thread that waited sees the end of the connection
    gc.collect()


def test_a_value_that_the_server_complains_about_is_not_repeated(project):
    (project / "holdout.sql").write_text("SELECT CAST(region AS integer) AS r FROM loans")
    text = said(project)
    assert text.startswith(f"The query of '{SOURCE}' failed at ")
    assert "nörd" not in text
    assert "south" not in text
