"""What a source of an endpoint says: where it is, which protocol it speaks, which of its outputs count."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from ...errors import ConfigurationError
from ...redact import redact
from ..predictions import columns_of
from .limits import HEADERS

Protocol = Literal["invocations", "v2"]

_V2 = re.compile(r"(?P<base>.*)/v2/models/(?P<name>[^/]+)(?:/versions/(?P<version>[^/]+))?")
_FORMS = (
    "Write http://host:5000/invocations for MLflow, or http://host:8080/v2/models/NAME (with /versions/3 "
    "behind it) for the Open Inference Protocol of KServe, Seldon and Triton."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an endpoint is.

    Parameters
    ----------
    source : str
        As written; a source with a secret in it is none.
    origin : str
        ``"http://host:port"``: what headers are for.
    url : str
        Without the part after ``#``.
    base : str
        What the addresses of the server itself begin with.
    protocol : {"invocations", "v2"}
        What it speaks.
    name, version : str
        Of the model, where the path says it.
    outputs : tuple of str
        Which outputs, or columns of the answer, are the predictions. Empty: there is only one.
    classes : tuple or None
        What these are called, where there are several.
    """

    source: str
    origin: str
    url: str
    base: str
    protocol: Protocol
    name: str = ""
    version: str = ""
    outputs: tuple[str, ...] = ()
    classes: tuple[Any, ...] | None = None


def address_of(source: str) -> Address:
    """Take a source apart.

    Raises
    ------
    ConfigurationError
        If it names no endpoint that is known here, or holds a secret.
    """
    shown = redact(source)
    url, hash_sign, fragment = source.partition("#")
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # an empty part of a name, or one that is too long
    except ValueError:
        raise ConfigurationError(f"'{shown}' is no address of a server.", _FORMS) from None
    if not parts.hostname or re.search(r"[\s\\]", url):
        raise ConfigurationError(f"'{shown}' is no address of a server.", _FORMS)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    origin = f"{parts.scheme.lower()}://{host}" + ("" if port is None else f":{port}")
    if "@" in parts.netloc or parts.query or url.endswith("?"):
        raise ConfigurationError(
            f"'{shown}' has {'a password' if '@' in parts.netloc else 'a query'} in it, and everybody reads "
            "the sources of models.",
            f'Take it out, and set {HEADERS}=\'{{"{origin}": {{"Authorization": "Bearer ..."}}}}\'.',
        )
    outputs: tuple[str, ...] = ()
    classes: tuple[Any, ...] | None = None
    if hash_sign:
        said = columns_of(fragment)
        if said is None:
            raise ConfigurationError(
                f"'{shown}' does not say after # which outputs are the predictions.",
                "Write #output, or #class=output,class=output for several classes.",
            )
        classes, outputs = said
    path = parts.path.rstrip("/")
    url = origin + path
    if path.endswith("/invocations"):
        base = url.removesuffix("/invocations")
        return Address(
            source=shown,
            origin=origin,
            url=url,
            base=base,
            protocol="invocations",
            outputs=outputs,
            classes=classes,
        )
    found = _V2.fullmatch(path.removesuffix("/infer"))
    if found is None:
        raise ConfigurationError(f"'{shown}' names no endpoint that is known here.", _FORMS)
    return Address(
        source=shown,
        origin=origin,
        url=url.removesuffix("/infer"),
        base=origin + found["base"],
        protocol="v2",
        name=found["name"],
        version=found["version"] or "",
        outputs=outputs,
        classes=classes,
    )
