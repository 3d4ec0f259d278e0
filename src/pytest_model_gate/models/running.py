"""Run a command with bounds: so many seconds, so many bytes, and an error that tells what it said last."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

from ..errors import EvaluationError
from ..redact import redact
from ..waiting import seconds_of
from ..wording import plural, shorten
from .excerpt import without_data

if TYPE_CHECKING:
    import pandas as pd

#: Environment variable that says how many seconds a command may take for one batch of rows.
VARIABLE = "MODEL_GATE_EXEC_TIMEOUT"
_SECONDS = 600.0
#: How often the size of what it wrote is looked at.
_LOOK = 0.1
_SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|_KEY$|^KEY", re.IGNORECASE)


def seconds_allowed() -> float:
    """Return how long a command may take for one batch of rows."""
    return seconds_of(VARIABLE, _SECONDS, example=60)


def run_bounded(
    argv: Sequence[str],
    given: bytes,
    *,
    source: str,
    root: str,
    seconds: float,
    longest: int,
    frame: pd.DataFrame,
) -> bytes:
    """Return what a command writes to its standard output.

    Parameters
    ----------
    argv : sequence of str
        The program's path, and its arguments.
    given : bytes
        Its standard input.
    source, root : str
        What errors call it, and where it runs.
    seconds, longest : float, int
        When it is ended, and after how many bytes.
    frame : DataFrame
        The rows in ``given``: none of their values is repeated in an error.

    Raises
    ------
    EvaluationError
        If it cannot be started, fails, takes too long or writes too much.
    """
    # Files, and no pipes: neither side waits for the other, and nothing has to be read while it runs.
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        stdin.write(given)
        stdin.seek(0)
        try:
            process = subprocess.Popen(
                argv, stdin=stdin, stdout=out, stderr=err, cwd=root, start_new_session=True
            )
        except OSError as error:
            raise EvaluationError(
                f"'{source}' cannot be started: {error.strerror or type(error).__name__}.",
                "Check the program, and for a script its first line.",
            ) from None
        try:
            reason = _wait(process, (out, err), seconds, longest)
        finally:
            _end(process)
        if reason:
            raise EvaluationError(
                f"'{source}' {reason} while scoring {plural(len(frame), 'row')}, and was ended.",
                f"Find out why; {VARIABLE} is the number of seconds that it may take for one batch.",
            )
        if process.returncode:
            raise EvaluationError(
                f"'{source}' ended {_how(process.returncode)} while scoring {plural(len(frame), 'row')}"
                f"{_last_words(err, frame)}.",
                "Run it by hand in the project's root, with rows on its standard input.",
            )
        out.seek(0)
        return out.read()


def _wait(process: subprocess.Popen[bytes], files: Sequence[IO[bytes]], seconds: float, longest: int) -> str:
    """Wait for the end, and return why it did not come; empty where it did."""
    until = time.monotonic() + seconds
    while True:
        try:
            process.wait(min(_LOOK, max(0.0, until - time.monotonic())))
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
        if any(os.fstat(file.fileno()).st_size > longest for file in files):
            return f"wrote more than {longest:,} bytes"
        if ended:
            return ""
        if time.monotonic() >= until:
            return f"took longer than {seconds:g} seconds"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command that still runs, with everything that it started."""
    if process.poll() is not None:
        return
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _how(status: int) -> str:
    if status > 0:
        return f"with exit status {status}"
    try:
        return f"by {signal.Signals(-status).name}"
    except ValueError:
        return f"by signal {-status}"


def _last_words(err: IO[bytes], frame: pd.DataFrame) -> str:
    """Return the last line of the standard error, without secrets and without values of the rows."""
    size = err.seek(0, os.SEEK_END)
    err.seek(max(0, size - 4096))
    lines = err.read().decode(errors="replace").strip().splitlines()
    if not lines:
        return " and said nothing"
    return ": " + shorten(without_data(redact(_without_secrets(lines[-1].strip())), frame), 160).rstrip(".:")


def _without_secrets(text: str, environment: Any = os.environ) -> str:
    """Return the text with what the environment keeps under a secret's name replaced by ``***``."""
    for name, value in environment.items():
        if len(value) >= 6 and _SECRET.search(name):
            text = text.replace(value, "***")
    return text
