"""What deltalake's errors about a table, or one of its files, mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import EvaluationError, InvalidError, ModelGateError, UnavailableError, UnreachableError
from ...redact import redact
from ...waiting import VARIABLE, shown_seconds
from ...wording import shorten
from .delta_log import fault
from .delta_place import Place, s3_endpoint

_REFUSED = re.compile(
    r"\b(401|403)\b|Forbidden|Unauthorized|InvalidAccessKey|SignatureDoesNotMatch|AccessDenied|PermissionDenied"
)
_NO_CREDENTIALS = re.compile(r"[Cc]redentials? (?:not|provider)|no providers|CredentialsNotLoaded")
_NO_BUCKET = re.compile(r"NoSuchBucket|[Bb]ucket .*not found")
_SILENT = re.compile(r"timed out", re.IGNORECASE)
_DOWN = re.compile(r"Connection refused|dns error|error sending request|client error \(Connect\)|tcp connect")
_ABSENT = re.compile(r"(?<!magic bytes )not found|No such file", re.IGNORECASE)
#: What a server that is none of S3 answers with.
_PAGE = re.compile(r"<!DOCTYPE html|<html", re.IGNORECASE)
_KERNEL = re.compile(r"^(?:(?:Kernel|Generic delta kernel|Arrow|Json|Parquet) error: |Arrow: )+")
_NOISE = re.compile(r"\x1b\[[0-9;]*m|[↳\s]+")


@contextmanager
def explaining(place: Place, file: str = "") -> Iterator[None]:
    """Turn deltalake's and pyarrow's errors into sentences about a table, or about one of its files."""
    try:
        yield
    except ModelGateError:
        raise
    except Exception as error:  # noqa: BLE001 - deltalake lets OSError, its own errors and pyarrow's through
        raise _explained(error, place, file) from None


def _explained(error: Exception, place: Place, file: str) -> ModelGateError:
    text = _NOISE.sub(" ", str(error))
    if place.folder is None:
        remote = _remote(text, place)
        if remote is not None:
            return remote
    if file and (isinstance(error, FileNotFoundError) or _ABSENT.search(text)):
        return UnavailableError(
            f"'{place.source}' can no longer be read: its file {shorten(file, 120)} is gone.",
            "VACUUM removes the files of old versions: pin a newer version, and let "
            "delta.deletedFileRetentionDuration keep those of pinned ones.",
        )
    log, wrong = ("", "") if file else fault(place)
    if log:
        at = "" if place.version is None else f" at version {place.version}"
        kind = UnavailableError if wrong == "is gone" else InvalidError
        return kind(
            f"'{place.source}' cannot be opened{at}: the file {log} of its log {wrong}.",
            "Restore it from a copy of the table: no version that builds on it can be read without it.",
        )
    said = shorten(redact(_KERNEL.sub("", text.strip()).rstrip(".:!")), 160)
    if file:
        return InvalidError(
            f"'{place.source}': its file {shorten(file, 120)} cannot be read: {said}.",
            "It may be damaged: restore it from a copy, or pin another version.",
        )
    return EvaluationError(
        f"The Delta table at {place.shown} cannot be opened: {type(error).__name__}: {said}.",
        "Look at its _delta_log: it may be incomplete or damaged.",
    )


def _remote(text: str, place: Place) -> ModelGateError | None:
    server = redact(s3_endpoint()) or place.shown
    if _PAGE.search(text):
        return UnavailableError(
            f"{server} answered with a web page and not as S3 does, so '{place.source}' could not be opened.",
            "Correct AWS_ENDPOINT_URL: another kind of server listens there.",
        )
    if _NO_BUCKET.search(text):
        return UnavailableError(
            f"'{place.source}' cannot be opened: there is no such bucket at {server}.",
            "Check its name, and AWS_ENDPOINT_URL.",
        )
    if _REFUSED.search(text) or _NO_CREDENTIALS.search(text):
        return UnavailableError(
            f"{server} refused to open '{place.source}'.",
            "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may read.",
        )
    if _SILENT.search(text) or _DOWN.search(text):
        what = f"did not answer within {shown_seconds()}" if _SILENT.search(text) else "cannot be reached"
        return UnreachableError(
            f"{server} {what}, so '{place.source}' could not be opened.",
            f"Start it, or correct AWS_ENDPOINT_URL. {VARIABLE} sets how many seconds to wait.",
            prefixes=("delta:" + place.uri.partition("://")[0],),
        )
    return None
