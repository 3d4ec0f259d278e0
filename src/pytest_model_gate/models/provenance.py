"""What a file of predictions says about itself: which model made them, of which rows, and in which form."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from ..wording import shorten

#: Key of the metadata in a Parquet file.
METADATA = b"model_gate"
_SCALARS = (str, int, float, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where predictions come from.

    Parameters
    ----------
    model, model_digest : str
        The exact version that predicted, and the digest of its content.
    dataset, dataset_digest : str
        The same for the rows.
    want : str
        ``"probability"``, ``"label"``, ``"value"`` or ``"score"``. Empty: the numbers say no more than
        their type.
    classes : tuple
        The classes of the columns. Empty: there is one column, or the model names none.
    """

    model: str
    model_digest: str
    dataset: str
    dataset_digest: str
    want: str = ""
    classes: tuple[Any, ...] = ()

    def to_json(self) -> bytes:
        """Return what is written into the file."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode()


def read_provenance(content: bytes) -> Provenance | None:
    """Return what the bytes of a Parquet file say; ``None`` where that is nothing, or not readable.

    Anybody can write anything there: no value is taken for more than a text, and none is long.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = pq.read_schema(pa.BufferReader(content)).metadata or {}
    try:
        said = json.loads(metadata[METADATA])
        texts = {name: shorten(str(said[name]), 200) for name in ("model", "model_digest")}
        texts |= {name: shorten(str(said[name]), 200) for name in ("dataset", "dataset_digest", "want")}
        classes = tuple(item for item in said["classes"] if isinstance(item, _SCALARS))
    except (KeyError, TypeError, ValueError):
        return None
    return Provenance(**texts, classes=classes)
