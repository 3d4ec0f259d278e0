"""Turn what file libraries raise into one sentence about the file."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import InvalidError, ModelGateError, UnavailableError
from ...wording import one_line

#: pyarrow ends these messages with the row's text, and rows do not belong into messages.
_ROW_TEXT = re.compile(r"(Expected \d+ columns, got \d+).*", re.DOTALL)


@contextmanager
def reading(name: str, kind: str) -> Iterator[None]:
    """Name the file and its kind in whatever goes wrong inside.

    Parameters
    ----------
    name : str
        The file.
    kind : str
        What it should hold: ``"a Parquet file"``.
    """
    try:
        yield
    except ModelGateError:
        raise
    except UnicodeDecodeError as error:
        raise InvalidError(
            f"{name} is not UTF-8: byte 0x{error.object[error.start]:02x} cannot be decoded.",
            f"Save it as UTF-8, for example: iconv -f latin1 -t utf-8 {name}.",
        ) from None
    except (FileNotFoundError, PermissionError) as error:
        raise UnavailableError(
            f"{name} cannot be opened: {error.strerror or error}.", "Check the path and its permissions."
        ) from None
    except (OSError, ValueError, TypeError, NotImplementedError, EOFError, KeyError, zlib.error) as error:
        # pyarrow's exceptions and those of pandas' parsers are ValueErrors, OSErrors and the like.
        cause = type(error)(_ROW_TEXT.sub(r"\1", str(error)))
        raise InvalidError(
            f"{name} cannot be read as {kind}: {one_line(cause)}.",
            "It may be incomplete or of another kind: write it again, or fetch it again.",
        ) from None
