"""Results of queries as Arrow tables: from any database through SQLAlchemy, from files through DuckDB."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    ModelGateError,
    UnavailableError,
    UnreachableError,
)
from ...redact import redact
from ...waiting import VARIABLE as TIMEOUT
from ...waiting import seconds, within
from ...wording import first_line, one_line, shorten
from ..columns import check_unique
from .extras import missing_package

#: Rows that are fetched at a time.
_ROWS = 50_000
#: A database is given so many times the limit to be reached: drivers look up names and log in.
_PATIENCE = 2
#: Drivers put the values that they complain about into their messages, and rows do not belong there.
_VALUES = re.compile(r"(: |\()(?P<quote>[\"']).*", re.DOTALL)
#: DuckDB says itself what kind of error it is.
_KIND = re.compile(r"[A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)* Error: ")
_FILES = "files of this machine"


def ask_database(source: str, query: str, address: str, variable: str, root: str) -> tuple[Any, str]:
    """Run a query through SQLAlchemy (``duckdb:`` through DuckDB) and roll back what it did.

    Returns
    -------
    table, str
        The result, and where it comes from without secrets.
    """
    if address.startswith("duckdb:"):
        return _duckdb(source, query, address.removeprefix("duckdb:").lstrip("/") or ":memory:", root)
    try:
        import sqlalchemy
    except ImportError:
        raise missing_package(source, "sqlalchemy", "sql") from None
    try:
        url = sqlalchemy.make_url(address)
    except sqlalchemy.exc.ArgumentError:
        raise ConfigurationError(
            f"{variable} holds no address of a database, so '{source}' cannot be pinned.",
            "Write it as SQLAlchemy does, for example postgresql+psycopg://me@db.example/loans.",
        ) from None
    where = redact(url.render_as_string(hide_password=True))
    url = _from_root(url, root, source, where)
    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    except (sqlalchemy.exc.NoSuchModuleError, ImportError) as error:
        raise UnavailableError(
            f"The driver of {where} is not installed: {one_line(error)}.",
            "Install it into the environment that pins, for example: pip install 'psycopg[binary]'.",
        ) from None
    try:
        with _explaining(source, where, variable):
            connection = within(_PATIENCE * seconds(), engine.connect)
        with connection, _explaining(source, where, variable, asked=True):
            result = connection.execution_options(no_parameters=True, stream_results=True).exec_driver_sql(
                query
            )
            if not result.returns_rows:
                raise _no_select(source)
            names = [str(name) for name in result.keys()]  # noqa: SIM118 - no mapping
            return _table(source, names, iter(lambda: result.fetchmany(_ROWS), [])), where
    finally:
        engine.dispose()


def ask_files(source: str, query: str, root: str) -> tuple[Any, str]:
    """Run a query over local files with DuckDB; relative paths in it start from the root."""
    return _duckdb(source, query, ":memory:", root)


def _duckdb(source: str, query: str, database: str, root: str) -> tuple[Any, str]:
    try:
        import duckdb
    except ImportError:
        raise missing_package(source, "duckdb", "duckdb") from None
    if database != ":memory:":
        path = Path(root).absolute() / database
        if not path.is_file():
            raise _no_file(source, f"duckdb:{database.partition('?')[0]}")
        database = str(path)
    where = _FILES if database == ":memory:" else f"duckdb:{Path(database).name}"
    reading = {"read_only": database != ":memory:"}
    with _explaining(source, where, ""), duckdb.connect(database, **reading) as connection:
        # What a time means must not depend on the machine that pins.
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET file_search_path = ?", [str(Path(root).absolute())])
        result = connection.sql(query)
        if result is None:
            raise _no_select(source)
        return result.to_arrow_table(), where


def _no_select(source: str) -> EvaluationError:
    return EvaluationError(f"The query of '{source}' returns no rows: it is no SELECT.", "Write one SELECT.")


def _from_root(url: Any, root: str, source: str, where: str) -> Any:
    """Let a relative SQLite file start from the root, and refuse one that SQLite would make."""
    if url.get_backend_name() != "sqlite":
        return url
    path = Path(root).absolute() / (url.database or "")
    if not path.is_file():
        raise _no_file(source, where)
    return url.set(database=str(path))


def _no_file(source: str, where: str) -> UnavailableError:
    return UnavailableError(
        f"There is no database {where}, so '{source}' cannot be pinned.",
        "Check the path; relative ones start from the project's root.",
    )


@contextmanager
def _explaining(source: str, where: str, variable: str, *, asked: bool = False) -> Iterator[None]:
    try:
        yield
    except ModelGateError:
        raise
    except TimeoutError:
        raise UnreachableError(
            f"The database {where} did not answer within {_PATIENCE * seconds():g} seconds, so '{source}' "
            "cannot be pinned.",
            f"Start it, or correct {variable}. {TIMEOUT} sets how long to wait.",
            # Others may ask another database.
            prefixes=(source,),
        ) from None
    except Exception as error:  # noqa: BLE001 - every driver has errors of its own
        cause = getattr(error, "orig", None) or error
        said = shorten(_VALUES.sub("", _message(cause)), 160)
        if not _KIND.match(said):
            said = f"{type(cause).__name__}: {said}"
        if asked or not variable:
            raise EvaluationError(
                f"The query of '{source}' failed{_at(where)}: {said}.", "Run it by itself to see more."
            ) from None
        raise UnavailableError(
            f"The database {where} cannot be reached, so '{source}' cannot be pinned: {said}.",
            f"Start it, or correct the address and the password in {variable}.",
        ) from None


def _at(where: str) -> str:
    return "" if where == _FILES else f" at {where}"


def _message(error: BaseException) -> str:
    """Return the first line of what a driver says; pg8000 says it as a table by PostgreSQL's letters."""
    said = error.args[0] if error.args else None
    if isinstance(said, dict) and "M" in said:
        return first_line(Exception(said["M"]))
    return first_line(error)


def _table(source: str, names: list[str], pieces: Iterator[Any]) -> Any:
    """Return rows of Python values as an Arrow table; the types are those of the values."""
    import pyarrow as pa

    check_unique(names, source)
    tables = []
    for rows in pieces:
        columns = list(zip(*rows, strict=True))
        arrays = [_array(source, name, values) for name, values in zip(names, columns, strict=True)]
        tables.append(pa.Table.from_arrays(arrays, names=names))
    if not tables:
        return pa.table([pa.nulls(0)] * len(names), names=names)
    try:
        return pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    except pa.ArrowException as error:
        raise InvalidError(
            f"The rows of '{source}' have several types in one column: {one_line(error)}.",
            "CAST the column in the query.",
        ) from None


def _array(source: str, name: str, values: tuple[Any, ...]) -> Any:
    import pyarrow as pa

    try:
        return pa.array([_plain(value) for value in values])
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        kinds = sorted({type(value).__name__ for value in values if value is not None})
        raise InvalidError(
            f"Column '{shorten(name)}' of '{source}' cannot be kept: it holds {', '.join(kinds)}.",
            "CAST it in the query to one type: a number of 64 bits, text, a date or a time.",
        ) from None


def _plain(value: Any) -> Any:
    """Return a value as Arrow knows it."""
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, (memoryview, bytearray)):
        return bytes(value)
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC)
    return value


def sorted_rows(source: str, table: Any) -> Any:
    """Return the rows in the order of what they hold: a database promises none, or one with ties."""
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = {}
    for number, column in enumerate(table.columns):
        kind = column.type
        if pa.types.is_interval(kind):
            name = shorten(table.column_names[number])
            raise InvalidError(
                f"Column '{name}' of '{source}' cannot be kept: it holds intervals.",
                "CAST it in the query to a number, for example of seconds.",
            )
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)  # noqa: PLW2901
        elif pa.types.is_nested(kind) or pa.types.is_null(kind):
            column = pa.array([repr(value) for value in column.to_pylist()])  # noqa: PLW2901
        keys[str(number)] = column
    if not keys:
        return table
    order = pc.sort_indices(pa.table(keys), sort_keys=[(name, "ascending") for name in keys])
    return table.take(order).combine_chunks()
