"""What makes a use of a holdout the same use: digests of what a gate asks, and of what the models say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.mixing import avalanche
from ..metrics.rows import Predicted
from ..models.baseline import BASELINES
from ..spec import GateSpec, Tolerance
from ..wire import to_plain
from .lines import ALL, Ask
from .rows import Judged

Words = npt.NDArray[np.uint64]

#: Keys of a gate that change no judgement of the same predictions on the same rows: roles count by what their
#: models say, the rows by the digest of the dataset.
_WITHOUT = frozenset(("name", "decision", "dataset", "schema", "key", "time", "waivers", "root"))
_WITHOUT |= {"candidate", "candidates", "production", "baseline", "tracking_uri", "trusted_sources"}
#: Checks of the data decide whether anything is judged, and not how.
_WITHOUT |= {"rules", "redact_examples", "drift", "leakage", "contracts", "operations"}
#: Nor does it matter whether it was said now or before.
_WITHOUT |= {"cache"}
#: Nor must a new budget make every candidate a new one.
_WITHOUT |= {"holdout_budget", "spending", "feedback", "ledger"}


def config_digest(spec: GateSpec) -> str:
    """Return the digest of what a gate asks: metrics, limits, slices, level, thresholds, columns.

    Only keys that differ from their defaults take part, so that a key which a later version adds does not
    make every judged candidate a new one. The order of metrics and slices changes nothing.
    """
    plain = {name: value for name, value in _chosen(spec).items() if name not in _WITHOUT}
    for name in ("metrics", "slices"):
        if name in plain:
            plain[name] = sorted(plain[name], key=_text)
    if spec.baseline in BASELINES:
        plain["baseline"] = spec.baseline  # a function of the rows
    return _sha256([_text(plain).encode()])


#: Keys that say where something is or what it is called, not what it has to be.
_PLACES = frozenset(
    ("name", "decision", "candidate", "candidates", "production", "tracking_uri", "root", "cache")
)


def policy_digest(spec: GateSpec) -> str:
    """Return the digest of all that decides what a gate lets pass, as far as it differs from the defaults.

    More than :func:`config_digest`: also the dataset's name, its schema and its rules, who is trusted, what
    is waived and how uses are counted.
    """
    plain = {name: value for name, value in _chosen(spec).items() if name not in _PLACES}
    for name in ("metrics", "slices"):
        if name in plain:
            plain[name] = sorted(plain[name], key=_text)
    return _sha256([_text(plain).encode()])


def _chosen(value: Any) -> Any:
    """Return what is not a default, as plain values."""
    if isinstance(value, Tolerance):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _chosen(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_chosen(item) for item in value]
    if not is_dataclass(value):
        return to_plain(value)
    found = {}
    for field in fields(value):
        item = getattr(value, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if item != default:
            found[field.name] = _chosen(item)
    return found


def _text(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def limits_of(asks: Iterable[Ask]) -> dict[str, str]:
    """Return question -> limit: what else an assertion asks than the gate's table, or asks otherwise.

    Examples of entries: ``"regression roc_auc": "all: 0.005"``, ``"floor roc_auc": "all: 0.85"``.
    """
    found: dict[str, set[str]] = {}
    for ask in asks:
        limit = str(ask.limit) if isinstance(ask.limit, Tolerance) else f"{ask.limit:.12g}"
        place = ALL if ask.slice == ALL else ask.slice.partition("=")[0]
        found.setdefault(f"{ask.question} {ask.metric}", set()).add(f"{place}: {limit}")
    return {topic: ", ".join(sorted(texts)) for topic, texts in sorted(found.items())}


def prediction_digest(judged: Judged, roles: Iterable[str], *, in_order: bool = False) -> str:
    """Return the digest of what these roles say for the judged rows, whatever the order of the rows.

    The digest is over rows, each with its truth, its place in the design and its slices: exchanging the
    predictions of two rows that differ in any of these is another candidate. What a row is called, and its
    features, take no part.

    Parameters
    ----------
    judged : Judged
        The rows.
    roles : iterable of str
        Those whose predictions are not a function of the rows themselves.
    in_order : bool
        Whether every row is one of its own, because its features are looked at, too (``find_slices``).
    """
    sample = judged.sample
    said = [("classes", _text(list(map(repr, sample.truth.classes or ()))))]
    columns = [_words(sample.truth.values)]
    if sample.truth.weight is not None:
        # Their ranks: the mean that they were divided by has other last digits in another order.
        columns.append(_words(np.unique(sample.truth.weight, return_inverse=True)[1]))
    for cut in sorted(judged.cuts, key=lambda cut: (cut.spec.title, cut.names)):
        said.append(("slices", _text([cut.spec.title, cut.names])))
        columns.append(_words(cut.codes))
    if in_order:
        columns.append(_words(np.arange(sample.n)))
    for role in sorted(roles):
        for form, values in _forms(judged.predicted[role]):
            said.append((role, form))
            columns += [_words(column) for column in np.atleast_2d(values.T)]
    for codes in (sample.truth.queries, sample.design.groups, sample.design.strata):
        if codes is not None:
            columns.append(_of_group(codes, _mixed(columns)))
    order = np.argsort(_mixed(columns))
    return _sha256([_text(said).encode(), *(column[order].tobytes() for column in columns)])


def _forms(predicted: Predicted) -> list[tuple[str, npt.NDArray[Any]]]:
    forms = {
        "labels": predicted.labels,
        "probability": predicted.probability,
        "score": predicted.score,
        "value": predicted.value,
    }
    return [(name, values) for name, values in forms.items() if values is not None]


def _words(values: npt.NDArray[Any]) -> Words:
    """Return one 64-bit word per row; the two zeros are one number."""
    if values.dtype.kind == "f":
        return (values.astype("<f8") + 0.0).view("<u8").astype(np.uint64, copy=False)
    return values.astype("<i8").view("<u8").astype(np.uint64, copy=False)


def _mixed(columns: list[Words]) -> Words:
    """Return a word per row that differs where rows differ: only an order: a collision gains nothing."""
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        mixed += column
        avalanche(mixed)
    return mixed


def _of_group(codes: npt.NDArray[np.intp], rows: Words) -> Words:
    """Return for each row what its group holds: codes are numbered in the order of the rows."""
    order = np.argsort(codes, kind="stable")
    _, starts, inverse = np.unique(codes[order], return_index=True, return_inverse=True)
    found = np.empty(len(codes), dtype=np.uint64)
    found[order] = np.add.reduceat(rows[order], starts)[inverse]
    return found


def _sha256(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return f"sha256:{digest.hexdigest()}"
