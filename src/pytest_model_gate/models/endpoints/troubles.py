"""What goes wrong with an endpoint, as sentences: the connection, the status, and what it says of it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...errors import EvaluationError, ModelGateError, UnavailableError, UnreachableError
from ...redact import redact
from ...waiting import shown_seconds
from ...wording import shorten
from ..excerpt import without_data
from .address import Address
from .limits import BYTES, HEADERS, RETRIES, Limits

if TYPE_CHECKING:
    import pandas as pd

    from .calls import Answer

#: The line of a traceback that says what was raised.
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Warning)\b.*$", re.MULTILINE)


class Lost(Exception):  # noqa: N818 - it is caught where it is raised
    """A connection that could not be made, or was lost.

    Parameters
    ----------
    how : str
        In words.
    for_good : bool
        Whether asking again cannot help.
    certificate : bool
        Whether it is the certificate.
    """

    def __init__(self, how: str, *, for_good: bool = False, certificate: bool = False) -> None:
        super().__init__(how)
        self.for_good = for_good
        self.certificate = certificate


def lost(error: Exception) -> Lost | TimeoutError:
    """Return what an exception of requests means; its own text names addresses of objects in memory."""
    from requests import exceptions

    text = str(error)
    if isinstance(error, exceptions.SSLError):
        found = re.search(r"certificate verify failed: ([^(\"']+)", text)
        if found or "CertificateError" in text:
            reason = found[1].strip() if found else "it is another host's"
            return Lost(reason, for_good=True, certificate=True)
        return Lost("it does not speak TLS as https:// needs it", for_good=True)
    if isinstance(error, exceptions.ProxyError):
        return Lost("the proxy that the environment names does not answer", for_good=True)
    if isinstance(error, exceptions.ConnectTimeout):
        return Lost(f"it did not take a connection within {shown_seconds()}")
    if isinstance(error, exceptions.ReadTimeout) or "Read timed out" in text:
        return TimeoutError()
    if re.search("NameResolutionError|Name or service|getaddrinfo|Failed to resolve", text):
        return Lost("there is no host of this name", for_good=True)
    if isinstance(error, (exceptions.InvalidURL, exceptions.InvalidSchema, UnicodeError)):
        return Lost("there is no host of this name", for_good=True)
    if "BadStatusLine" in text or "HeaderParsing" in text:
        return Lost("it does not speak HTTP", for_good=True)
    if "refused" in text:
        return Lost("it refuses connections")
    if "unreachable" in text or "No route" in text:
        return Lost("there is no way to it")
    return Lost("it closed the connection before it had answered")


def unreachable(address: Address, trouble: Lost | None, *, after: int = 0) -> ModelGateError:
    """Return the error for a server that does not answer; ``None``: it said nothing in time."""
    if trouble is not None and trouble.certificate:
        return UnavailableError(
            f"The certificate of {address.origin} is not accepted ({shorten(str(trouble), 80)}), so "
            f"'{address.source}' was not asked.",
            "Set REQUESTS_CA_BUNDLE to the file of the authority that signed it.",
        )
    silent = f"did not answer within {shown_seconds()}"
    what = silent if trouble is None else f"cannot be reached: {trouble}"
    again = (
        "" if not after else ", also when it was asked again" if after == 1 else f", also {after} times later"
    )
    return UnreachableError(
        f"The server {address.origin} of '{address.source}' {what}{again}.",
        "Start it, or correct the source. MODEL_GATE_TIMEOUT is how many seconds a server may be silent"
        + (f", {RETRIES} how often it is asked again." if after else "."),
        prefixes=(address.origin + "/",),
    )


def refused(
    answer: Answer, address: Address, rows: str, limits: Limits, frame: pd.DataFrame | None, sent: int = 0
) -> ModelGateError:
    """Return the error for an answer with another status than 200.

    Parameters
    ----------
    answer : Answer
        What came.
    address : Address
        Of whom.
    rows : str
        ``" while scoring 200 rows"``, or nothing.
    limits : Limits
        Holds the headers that were sent: no value of them is repeated.
    frame : DataFrame or None
        The rows: none of their values is repeated.
    sent : int
        How many bytes the request had.
    """
    from .calls import said

    shown, status = address.source, answer.status
    words = last_words(answer, limits, frame)
    told = f": {words}" if words else ""
    if 300 <= status < 400:
        where = urlsplit(answer.hint)
        to = redact(f"{where.scheme}://{where.netloc}") if where.netloc else shorten(where.path, 80)
        return EvaluationError(
            f"'{shown}' answered {said(status)} and names another address ({to or 'nowhere'}), which is not "
            "followed: rows and credentials go where the source says, and nowhere else.",
            "Name the address that answers.",
        )
    if status in (401, 403):
        have = "the headers that it has were sent" if limits.headers else "it has no headers for this address"
        return UnavailableError(
            f"'{shown}' refused with {said(status)}{told}.",
            f'{HEADERS} names what is sent along: \'{{"{address.origin}": {{"Authorization": '
            f'"Bearer ..."}}}}\'; {have}.',
        )
    if status == 404:
        return UnavailableError(
            f"There is no model at '{shown}': it answered {said(status)}{told}.",
            "Check the path: .../invocations for MLflow, .../v2/models/NAME (with /versions/3 behind it) for "
            "the Open Inference Protocol.",
        )
    if status == 413:
        return EvaluationError(
            f"'{shown}' does not take {sent:,} bytes in one request: it answered {said(status)}.",
            f"{BYTES} is how many are sent at once ({limits.bytes:,} now).",
        )
    return EvaluationError(
        f"'{shown}' answered {said(status)}{rows}{told}.",
        "Look at the server's log; check that the columns are those that the model takes."
        if rows
        else "Check the path, and look at the server's log.",
    )


def not_json(answer: Answer, address: Address) -> EvaluationError:
    """Return the error for an answer that is no JSON."""
    page = answer.content.lstrip()[:9].lower().startswith((b"<!doctype", b"<html"))
    kind = "a page (HTML)" if page else f"'{shorten(answer.kind)}'" if answer.kind else "something"
    if answer.kind == "application/json" and not page:
        kind = "what is called JSON and cannot be read as that"
    return EvaluationError(
        f"'{address.source}' answered with {kind}, and JSON was needed.",
        "Is that a proxy, or a page to log in? Ask it by hand: curl -i ADDRESS",
    )


def last_words(answer: Answer, limits: Limits, frame: pd.DataFrame | None) -> str:
    """Return one line of what a server says about its error, without rows and secrets."""
    try:
        found = answer.parsed()
    except ValueError:
        return ""  # a page, or a bare line of a proxy: its status says as much
    text = _said(found)
    for value in limits.headers.values():
        for secret in (value, value.rpartition(" ")[2]):
            text = text.replace(secret, "***") if len(secret) >= 4 else text
    text = redact(text)
    if frame is not None:
        text = _without_text_of(without_data(text, frame), frame)
    return shorten(text.rstrip(".:"), 160)


def _without_text_of(text: str, frame: pd.DataFrame) -> str:
    """Return the text without what stands in columns of text: servers quote rows in every way there is."""
    names = {str(name) for name in frame.columns}
    for _, column in frame.items():
        if column.dtype.kind in "biufcmM":
            continue
        for value in column.dropna().unique():
            if isinstance(value, str) and len(value) >= 3 and value in text and value not in names:
                text = text.replace(value, "...")
    return text


def _said(found: Any) -> str:
    if not isinstance(found, dict):
        return ""
    trace = found.get("stack_trace")
    if isinstance(trace, str) and (raised := _RAISED.findall(trace)):
        return str(raised[-1]).strip()
    for key in ("error", "message", "detail"):
        value = found.get(key)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            value = value[0].get("msg")
        if isinstance(value, str) and value.strip():
            # MLflow puts the rows in front of what is wrong with them.
            start, colon, end = value.rpartition("Error: ")
            told = end if colon and "data '" in start else value
            lines = [line.strip() for line in told.strip().splitlines() if line.strip()]
            return lines[0] if lines else ""
    return ""


def as_json(value: object) -> bytes:
    """Return a request's content."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
