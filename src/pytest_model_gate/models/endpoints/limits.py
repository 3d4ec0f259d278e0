"""What the environment says about endpoints: limits of requests, and the headers that an address gets."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import ConfigurationError
from ...waiting import seconds_of

ROWS = "MODEL_GATE_ENDPOINT_ROWS"
BYTES = "MODEL_GATE_ENDPOINT_BYTES"
CONCURRENCY = "MODEL_GATE_ENDPOINT_CONCURRENCY"
RETRIES = "MODEL_GATE_ENDPOINT_RETRIES"
TIMEOUT = "MODEL_GATE_ENDPOINT_TIMEOUT"
HEADERS = "MODEL_GATE_ENDPOINT_HEADERS"

_EXAMPLE = f'Write {HEADERS}=\'{{"https://host": {{"Authorization": "Bearer ..."}}}}\', or unset it.'
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_ORIGIN = re.compile(r"https?://[^/?#@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How rows are sent.

    Parameters
    ----------
    rows, bytes : int
        What one request holds at most.
    at_once : int
        How many requests are under way at most.
    retries : int
        How often a request is sent again that a busy server refused, or that lost its connection.
    seconds : float
        How long one request may take, with what is sent again and the pauses between.
    headers : mapping
        What is sent along: credentials, for one. No error repeats a value.
    """

    rows: int
    bytes: int
    at_once: int
    retries: int
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def limits_for(origin: str) -> Limits:
    """Return the limits that the environment says, and the headers that it has for this address alone.

    Raises
    ------
    ConfigurationError
        If one of the variables makes no sense.
    """
    return Limits(
        rows=_whole(ROWS, 1000, least=1),
        bytes=_whole(BYTES, 1_000_000, least=1),
        at_once=_whole(CONCURRENCY, 4, least=1),
        retries=_whole(RETRIES, 3, least=0),
        seconds=seconds_of(TIMEOUT, 60.0, example=300),
        headers=_headers(origin),
    )


def _whole(variable: str, default: int, *, least: int) -> int:
    said = os.environ.get(variable)
    if not said:
        return default
    try:
        number = int(said)
    except ValueError:
        number = -1
    if number < least:
        raise ConfigurationError(
            f"{variable} must be a whole number, at least {least}, got {said!r}.",
            f"Write for example {variable}={default}, or unset it.",
        )
    return number


def _headers(origin: str) -> Mapping[str, str]:
    """Return the headers for one address; those of others are not sent to it."""
    said = os.environ.get(HEADERS)
    if not said:
        return {}
    try:
        by_origin = json.loads(said)
    except ValueError:
        raise ConfigurationError(f"{HEADERS} is no JSON.", _EXAMPLE) from None
    if not isinstance(by_origin, dict) or not all(isinstance(each, dict) for each in by_origin.values()):
        raise ConfigurationError(f"{HEADERS} must have the headers of each address by name.", _EXAMPLE)
    found: dict[str, str] = {}
    for number, (address, headers) in enumerate(by_origin.items(), start=1):
        if not _ORIGIN.fullmatch(address):
            raise ConfigurationError(
                f"{HEADERS} must name addresses as http://host:port, which number {number} is not.", _EXAMPLE
            )
        for name, value in headers.items():
            printable = isinstance(value, str) and value.isascii() and value.isprintable()
            if not _NAME.fullmatch(name) or not printable or value != value.strip():
                raise ConfigurationError(
                    f"{HEADERS} has a header for {address} that cannot be sent: a name without spaces, and "
                    "as its value text of printable ASCII characters, was needed.",
                    _EXAMPLE,
                )
        if address.lower() == origin:
            found |= headers
    return found
