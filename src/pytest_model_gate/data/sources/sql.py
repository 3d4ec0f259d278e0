"""``sql:file.sql`` and ``duckdb:file.sql``: the result of a query, frozen to Parquet when it is pinned.

A database has no versions that could be read again. So the query runs when somebody pins it, its result
goes into a file that is named by what it holds, and every judgement reads that file and no database.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError, InvalidError, UnavailableError
from ...hooks import DatasetProtocol
from ...redact import redact
from ...spec import SourceContext
from ..columns import check_unique
from ..pins import PIN_COMMAND
from .content import content_digest
from .files import open_found
from .local import LocalFile, LocalFiles

#: Environment variable that says which database is asked, where the source names none.
VARIABLE = "MODEL_GATE_SQL"
#: Environment variable that says where the frozen results lie.
FOLDER_VARIABLE = "MODEL_GATE_SNAPSHOTS"
_FOLDER = "data/snapshots"
_SOURCE = re.compile(r"(?P<kind>sql|duckdb):(?P<file>[^#]+\.sql)(?:#(?P<variable>[A-Za-z_]\w*))?")
_PINNED = re.compile(r"(?P<content>[0-9a-f]{12}) of query (?P<query>[0-9a-f]{12})")
_METADATA = b"model_gate"


@dataclass(frozen=True, slots=True)
class Query:
    """A query, and what it is asked with.

    Parameters
    ----------
    source : str
        What the user wrote.
    name : str
        Of its file, without the suffix.
    text : str
        What the file holds.
    variable : str
        The environment variable with the address of the database. Empty: files of this machine, by DuckDB.
    """

    source: str
    name: str
    text: str
    variable: str

    @property
    def digest(self) -> str:
        """Of the text, whatever its line ends and the empty lines around it."""
        return hashlib.sha256(self.text.strip().encode()).hexdigest()


def open_source(source: str, context: SourceContext) -> DatasetProtocol:
    """Open the frozen result of a query; while pinning, run the query and freeze its result."""
    query = _query(source, context.root)
    folder = Path(context.root).absolute() / (os.environ.get(FOLDER_VARIABLE) or _FOLDER)
    agreed = _PINNED.fullmatch(context.pinned_versions.get(query.source, ""))
    if agreed:
        if agreed["query"] != query.digest[:12]:
            raise InvalidError(
                f"The query of '{query.source}' is not the one whose result was pinned.",
                f"Run {PIN_COMMAND} to ask the database again, or restore the query.",
            )
        path = folder / f"{query.name}-{agreed['content']}.parquet"
    elif context.pinning:
        path = _freeze(query, Path(context.scratch) if context.scratch else folder, context.root)
    else:
        raise UnavailableError(
            f"The result of '{query.source}' was never frozen, and a gate asks no database.",
            f"Run {PIN_COMMAND} where the database can be asked, and keep the file that it writes.",
        )
    return _open(query, path, context.root)


def _query(source: str, root: str) -> Query:
    shown = redact(source)
    found = _SOURCE.fullmatch(source)
    if not found or (found["kind"] == "duckdb" and found["variable"]):
        raise ConfigurationError(
            f"'{shown}' names no query.",
            "Write sql:queries/holdout.sql, or sql:queries/holdout.sql#VARIABLE where that environment "
            "variable has the address of the database, or duckdb:queries/holdout.sql for a query over files.",
        )
    path = Path(root) / found["file"]
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UnavailableError(
            f"There is no query {found['file']}, so '{shown}' could not be opened.",
            f"Relative paths start from {Path(root).absolute().as_posix()}.",
        ) from None
    except UnicodeDecodeError:
        raise InvalidError(f"The query {found['file']} is not UTF-8.", "Save it as UTF-8.") from None
    except OSError as error:
        raise UnavailableError(
            f"The query {found['file']} cannot be read: {error.strerror or error}.",
            "Check the path and its permissions.",
        ) from None
    variable = "" if found["kind"] == "duckdb" else found["variable"] or VARIABLE
    return Query(shown, path.stem, text, variable)


def _open(query: Query, path: Path, root: str) -> DatasetProtocol:
    import pyarrow.parquet as pq

    base = Path(root).absolute()
    shown = path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()
    if not path.is_file():
        raise UnavailableError(
            f"The frozen result of '{query.source}' is not there: {shown} is missing.",
            f"Fetch it from where it is kept (git, git-lfs, DVC), or run {PIN_COMMAND} to ask again.",
        )
    try:
        held = json.loads((pq.read_schema(path).metadata or {})[_METADATA])
        said = f"query sha256:{held['query'][:12]}, run {held['when'][:10]} at {held['where']}"
    except (OSError, ValueError, KeyError, TypeError):
        said = "a damaged file"  # whoever reads it says more
    digits = path.stem.rpartition("-")[2]
    return open_found(
        LocalFiles(
            source=query.source,
            resolved=f"{shown} ({said})",
            format="parquet",
            files=(LocalFile(path.name, path),),
            single=True,
            version=f"{digits} of query {query.digest[:12]}",
        )
    )


def _freeze(query: Query, folder: Path, root: str) -> Path:
    """Run the query and write its result, unless a file holds it already; a damaged one is written again."""
    from .sql_results import ask_database, ask_files, sorted_rows

    if query.variable:
        address = os.environ.get(query.variable)
        if not address:
            raise ConfigurationError(
                f"{query.variable} is not set: it says which database '{query.source}' asks.",
                "Set it to an address of SQLAlchemy, for example postgresql+psycopg://me@db.example/loans. "
                "Only pinning needs it.",
            )
        table, where = ask_database(query.source, query.text, address, query.variable, root)
    else:
        table, where = ask_files(query.source, query.text, root)
    check_unique(table.column_names, query.source)
    if not table.num_rows:
        raise InvalidError(f"The query of '{query.source}' found no rows.", "Run it by itself to see why.")
    table = sorted_rows(query.source, table)
    content = content_digest(table.column_names, table.column).partition(":")[2]
    path = folder / f"{query.name}-{content[:12]}.parquet"
    if not _holds(path, table):
        _write(table, path, {"query": query.digest, "where": where, "content": content})
    return path


def _holds(path: Path, table: Any) -> bool:
    """Whether a file has the rows of a table, as Parquet gives them back."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        held = pq.read_table(path, partitioning=None)
    except (OSError, pa.ArrowException):
        return False
    written = io.BytesIO()
    pq.write_table(table, written)
    again = pq.read_table(pa.BufferReader(written.getvalue()))
    digests = [content_digest(each.column_names, each.column) for each in (held, again)]
    return digests[0] == digests[1]


def _write(table: Any, path: Path, provenance: dict[str, str]) -> None:
    import pyarrow.parquet as pq

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    table = table.replace_schema_metadata({_METADATA: json.dumps({**provenance, "when": now})})
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            pq.write_table(table, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UnavailableError(
            f"{path.as_posix()} cannot be written: {error.strerror or error}.",
            f"Free some space, or let {FOLDER_VARIABLE} name a folder that can be written.",
        ) from None
