"""``exec:command arguments``: a command as a model, which reads rows and writes predictions.

::

    exec:python score.py model.bin       rows as an Arrow IPC stream on its standard input
    exec+csv:./score --fast              rows as CSV, with a first line of names

It runs in the project's root, without a shell, once for each batch of rows, and writes one prediction per row
in their order to its standard output: an Arrow IPC stream (or file), or CSV with a first line of names. One
column is a probability, score, value or label, as its type says; two or more are one probability per class,
named as the class.
"""

from __future__ import annotations

import io
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, EvaluationError, InvalidError, UnavailableError
from ..redact import redact
from ..spec import SourceContext
from ..wording import one_line, plural, shorten, some_values
from .columns import plain
from .described import Described
from .identity import Identity, digest_of_files
from .predictions import typed_classes
from .running import run_bounded, seconds_allowed
from .trust import require_trust
from .untyped import LastAnswer

if TYPE_CHECKING:
    import pandas as pd

PREFIXES = ("exec:", "exec+csv:")

#: The kind of its models.
KIND = "command"


@dataclass(frozen=True, eq=False, kw_only=True)
class CommandModel(Described):
    """A command; which classes it knows is only told by its first answer."""

    argv: tuple[str, ...]
    root: str
    csv: bool
    _last: LastAnswer = field(default_factory=LastAnswer)
    #: The columns that its first answer named.
    _named: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def classes(self) -> tuple[Any, ...] | None:
        """The classes that the columns of the answer are named after; ``None`` where it is one column."""
        if not self._named or len(self._named[0]) < 2:
            return None
        return typed_classes(self._named[0])

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return what the command says about these rows; ``None`` where it is not what is wanted."""
        return self._last.as_wanted(frame, want, self._answer)

    def _answer(self, frame: pd.DataFrame) -> npt.NDArray[Any]:
        answer, columns = self._ask(frame)
        if self._named and len(self._named[0]) > 1 and self._named[0] != columns:
            raise InvalidError(
                f"'{self.source}' names the columns {some_values(columns)} for some rows and "
                f"{some_values(self._named[0])} for others.",
                "Write all classes each time, in one order.",
            )
        self._named[:] = [columns]
        return answer

    def _ask(self, frame: pd.DataFrame) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
        if self.digest and _digest(self.source, self.argv, self.root) != self.digest:
            raise InvalidError(
                f"'{self.source}' is not the command any more that it was when the gate started: "
                "a file that it names was changed.",
                "Run the gate again.",
            )
        output = run_bounded(
            self.argv,
            _rows(plain(frame), csv=self.csv),
            source=self.source,
            root=self.root,
            seconds=seconds_allowed(),
            longest=1_000_000 + 4096 * len(frame),
            frame=frame,
        )
        said = _table(output, self.source)
        if len(said) != len(frame):
            raise InvalidError(
                f"'{self.source}' wrote {plural(len(said), 'prediction')} for {plural(len(frame), 'row')}.",
                "Write one line for each row, in their order, and in CSV a first line with names.",
            )
        return said.to_numpy(), tuple(str(name) for name in said.columns)


def open_command(source: str, context: SourceContext) -> CommandModel:
    """Take a command as a model, where it is trusted; nothing runs before rows are scored.

    The digest covers the command line and each file that it names below the root; not what those files
    read or import. A command that names no file has no digest, and can only be trusted by its source.
    """
    identity, argv = _identified(source, context.root)
    require_trust(identity, context, "it is a command")
    return CommandModel(
        identity=identity,
        kind=KIND,
        columns=None,
        argv=(_program(argv[0], context.root, identity.source), *argv[1:]),
        root=context.root,
        csv=source.startswith("exec+csv:"),
    )


def identify(source: str, context: SourceContext) -> Identity:
    """Return which command it is; nothing runs."""
    return _identified(source, context.root)[0]


def _identified(source: str, root: str) -> tuple[Identity, tuple[str, ...]]:
    prefix, _, line = source.partition(":")
    try:
        argv = tuple(shlex.split(line))
    except ValueError as error:
        raise ConfigurationError(
            f"'{redact(source)}' cannot be split into a command and its arguments: {error}.",
            "Close every quote.",
        ) from None
    if not argv:
        raise ConfigurationError(f"'{source}' names no command.", f"Write {prefix}:program arguments.")
    shown = redact(source)
    return Identity(source=shown, resolved=shown, digest=_digest(shown, argv, root)), argv


def _program(name: str, root: str, source: str) -> str:
    """Return where a program is: a path starts at the root, anything else is looked for on PATH."""
    local = "/" in name or "\\" in name
    found = shutil.which(str(Path(root, name).absolute()) if local else name)
    if found is None:
        there = local and Path(root, name).is_file()
        raise UnavailableError(
            f"'{source}' cannot be run: "
            + (f"'{name}' is no executable file." if there else f"there is no program '{name}'."),
            f"Run: chmod +x {shlex.quote(name)}"
            if there
            else "A path starts at the project's root; any other name is looked for on PATH.",
        )
    return found


def _digest(source: str, argv: tuple[str, ...], root: str) -> str:
    """Return the digest of a command line and of the files that it names; empty where it names none."""
    files: dict[str, bytes | Path] = {}
    base = Path(root).absolute()
    for word in argv:
        path = base / word
        # An interpreter is another file on every machine; so only what lies below the root counts.
        if path.resolve().is_relative_to(base.resolve()) and path.is_file():
            files[path.relative_to(base).as_posix()] = path
    return digest_of_files({**files, "": source.encode()}) if files else ""


def _rows(frame: pd.DataFrame, *, csv: bool) -> bytes:
    if csv:
        return frame.to_csv(index=False, lineterminator="\n").encode()
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _table(output: bytes, source: str) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    if not output.strip():
        raise EvaluationError(
            f"'{source}' wrote nothing to its standard output.",
            "Write the predictions there, as an Arrow IPC stream or as CSV.",
        )
    try:
        if output.startswith(b"ARROW1"):
            said = pa.ipc.open_file(output).read_all().to_pandas()
        elif output.startswith(b"\xff\xff\xff\xff"):
            said = pa.ipc.open_stream(output).read_all().to_pandas()
        else:
            said = _read_csv(output)
    except Exception as error:  # noqa: BLE001 - pandas and pyarrow raise many kinds for what is broken
        raise InvalidError(
            f"'{source}' wrote what is neither an Arrow IPC stream nor CSV: {one_line(error, 80)}.",
            "Write predictions to the standard output, and everything else to the standard error.",
        ) from None
    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in said.dtypes]
    if said.shape[1] > 1 and not all(numeric):
        strange = shorten(str(said.columns[numeric.index(False)]))
        raise InvalidError(
            f"'{source}' wrote {said.shape[1]} columns, and '{strange}' holds no numbers.",
            "Write one column, or one column of probabilities for each class and no other.",
        )
    return pd.DataFrame({str(name): np.asarray(column) for name, column in said.items()})


def _read_csv(content: bytes) -> pd.DataFrame:
    """Read CSV to the last digit; ``NA`` is text, and may be a label."""
    from pyarrow import csv

    table = csv.read_csv(
        io.BytesIO(content),
        parse_options=csv.ParseOptions(ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(null_values=["", "nan", "NaN"], strings_can_be_null=True),
    )
    frame: pd.DataFrame = table.to_pandas()
    return frame
