"""A model behind HTTP: rows go out in requests, several at once, and predictions come back in their order.

::

    http://host:5000/invocations                       MLflow's scoring server, and what speaks like it
    http://host:8080/v2/models/credit                  the Open Inference Protocol: KServe, Seldon, Triton
    https://host/v2/models/credit/versions/3           one version of it
    https://host/v2/models/credit#predict_proba        one of several outputs
    http://host:5000/invocations#0=p_no,1=p_yes        columns of the answer, each with its class

An endpoint has no bytes that could be hashed. What it is called, and the version that its server says, is
what a record has of it; and the digest of its answers.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ...errors import InvalidError
from ...spec import SourceContext
from ...wording import plural, shorten, some_values
from ..identity import Identity
from ..predictions import typed_classes
from ..trust import check_pin
from ..untyped import LastAnswer
from . import KIND, invocations, v2
from .address import Address, address_of
from .answers import Part, joined
from .calls import Client
from .limits import BYTES, limits_for
from .troubles import as_json, not_json, refused

if TYPE_CHECKING:
    import pandas as pd

_MLFLOW = re.compile(rb"\d+\.\d+[\w.+-]{0,20}")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server says about the model behind an endpoint, and about itself.

    Parameters
    ----------
    server : str
        What it is: ``"MLflow 3.17.2"``. Empty: it doesn't say.
    stated : Stated or None
        The metadata of the model, where the protocol has them.
    """

    server: str
    stated: v2.Stated | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class EndpointModel:
    """A model that is served elsewhere; which version it is may only be told by its first answer."""

    source: str
    seen: Seen
    address: Address
    client: Client
    digest: str = ""
    kind: str = KIND
    _last: LastAnswer = field(default_factory=LastAnswer)
    #: The columns that its first answer named, and the version that gave it.
    _first: list[tuple[tuple[str, ...] | None, str]] = field(default_factory=list)

    @property
    def version(self) -> str:
        """Which version of the model answers; empty where its server does not say."""
        if self._first and self._first[0][1]:
            return self._first[0][1]
        known = () if self.seen.stated is None else self.seen.stated.versions
        return self.address.version or (known[0] if len(known) == 1 else "")

    @property
    def resolved(self) -> str:
        """The address of the very version where there is one, else what is known."""
        hash_sign, fragment = self.source.partition("#")[1:]
        if self.address.protocol == "v2":
            url = f"{self.address.base}/v2/models/{self.address.name}"
            return url + (f"/versions/{self.version}" if self.version else "") + hash_sign + fragment
        of = f" ({self.seen.server})" if self.seen.server else ""
        return self.address.url + hash_sign + fragment + of

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns that the server names as the model's inputs."""
        return None if self.seen.stated is None else self.seen.stated.columns

    @property
    def types(self) -> Mapping[str, str]:
        """Column -> type, where the server states it."""
        return {} if self.seen.stated is None else self.seen.stated.types

    @property
    def classes(self) -> tuple[Any, ...] | None:
        """The classes that the source names, or that the columns of the answer are named after."""
        if self.address.classes is not None:
            return self.address.classes
        names = self._first[0][0] if self._first else None
        return None if names is None else typed_classes(names)

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return what the endpoint says about these rows; ``None`` where it is not what is wanted."""
        return self._last.as_wanted(frame, want, self._answer)

    def _answer(self, frame: pd.DataFrame) -> npt.NDArray[Any]:
        from .workers import in_order

        limits = self.client.limits
        pieces = [frame.iloc[start : start + limits.rows] for start in range(0, len(frame), limits.rows)]
        parts = [part for found in in_order(pieces, self._ask, limits.at_once) for part in found]
        self._same_version(parts)
        array, names = joined(self.address, parts)
        if self._first and self._first[0][0] != names:
            raise InvalidError(
                f"'{self.source}' names the columns {some_values(names or ())} for some rows and "
                f"{some_values(self._first[0][0] or ())} for others.",
                "Let it give all classes each time, in one order.",
            )
        if not self._first:
            self._first.append((names, parts[0].version))
        if len(pieces) > 1 and look(self.client) != self.seen:
            raise InvalidError(
                f"'{self.source}' says something else about itself than before its first answer: "
                "it was changed while it was judged.",
                "Run the gate again when nothing is deployed there.",
            )
        return array

    def _ask(self, frame: pd.DataFrame, stop: threading.Event) -> list[Part]:
        """Send some rows in one request, or in more where they are too many bytes."""
        limits = self.client.limits
        stated = self.seen.stated
        body = as_json(
            invocations.request(self.address, frame)
            if stated is None
            else v2.request(self.address, stated, frame)
        )
        if len(body) > limits.bytes:
            if len(frame) == 1:
                raise InvalidError(
                    f"One row for '{self.source}' has {len(body):,} bytes as JSON, and {limits.bytes:,} "
                    "are sent at once.",
                    f"{BYTES} is how many are sent at once.",
                )
            half = len(frame) // 2
            return [*self._ask(frame.iloc[:half], stop), *self._ask(frame.iloc[half:], stop)]
        rows = plural(len(frame), "row")
        url = self.address.url + ("" if stated is None else "/infer")
        answer = self.client.score(url, body, rows, 1_000_000 + 4096 * len(frame), stop)
        if answer.status != 200:
            raise refused(answer, self.address, f" while scoring {rows}", limits, frame, len(body))
        try:
            found = answer.parsed()
        except ValueError:
            raise not_json(answer, self.address) from None
        part = (
            invocations.read(self.address, found)
            if stated is None
            else v2.read(self.address, found, len(frame))
        )
        if len(part.values) != len(frame):
            raise InvalidError(
                f"'{self.source}' gave {plural(len(part.values), 'prediction')} for {rows}.",
                "It must give one for each row, in the order of the rows.",
            )
        return [part]

    def _same_version(self, parts: list[Part]) -> None:
        """Refuse answers of several versions: a deployment in the middle, or traffic that is split."""
        expected = self._first[0][1] if self._first else self.address.version or parts[0].version
        for part in parts:
            if part.version != expected and (part.version or self._first):
                known = f"version {expected}" if expected else "no version"
                raise InvalidError(
                    f"'{self.source}' answered as version {part.version or 'unknown'}, and {known} was "
                    "asked or had answered before: it was changed meanwhile, or its traffic is split.",
                    "Name one version: .../v2/models/NAME/versions/3"
                    if not self.address.version
                    else "Run the gate again when nothing is deployed there.",
                )


def open_endpoint(source: str, context: SourceContext) -> EndpointModel:
    """Take an endpoint as a model: its server is asked what it is; no row is sent before rows are scored.

    Raises
    ------
    ModelGateError
        If the source names no endpoint, or its server does not answer.
    """
    address = address_of(source)
    client = Client(address, limits_for(address.origin))
    model = EndpointModel(source=address.source, seen=look(client), address=address, client=client)
    check_pin(Identity(source=model.source, resolved=model.resolved, digest=""), context)
    return model


def look(client: Client) -> Seen:
    """Return what the server says about the model and itself."""
    address = client.address
    if address.protocol == "invocations":
        # Not every server that takes these requests has this page, and one that lacks it is none the worse.
        answer = client.look(f"{address.base}/version")
        said = answer.content.strip()
        known = answer.status == 200 and _MLFLOW.fullmatch(said)
        return Seen(f"MLflow {said.decode()}" if known else "")
    answer = client.look(address.url)
    if answer.status != 200:
        raise refused(answer, address, "", client.limits, None)
    try:
        found = answer.parsed()
    except ValueError:
        raise not_json(answer, address) from None
    return Seen("", v2.stated(address, found))


def server_name(client: Client) -> str:
    """Return what a server of the Open Inference Protocol calls itself; empty where it doesn't."""
    answer = client.look(f"{client.address.base}/v2")
    try:
        found = answer.parsed()
    except ValueError:
        return ""
    said = [found.get(key) for key in ("name", "version")] if isinstance(found, dict) else []
    known = " ".join(text for text in said if isinstance(text, str))
    return shorten(known, 80) if answer.status == 200 else ""
