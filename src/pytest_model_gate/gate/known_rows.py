"""Whether a dataset has the rows of a holdout that was used before, whatever file they are in now."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..data.checkout import head_commit
from ..data.ledger import Content, Entry, plain_sketch, same_holdout
from ..data.row_sketch import MOST, rows_of
from ..hooks import DatasetProtocol
from ..redact import redact
from ..spec import GateSpec
from .rows import judged_rows


def content_of(entries: Iterable[Entry], dataset: str) -> Content | None:
    """Return what a ledger says of the rows of a dataset, or ``None``."""
    found = [entry for entry in entries if isinstance(entry, Content) and entry.dataset == dataset]
    # Two processes, or two branches, may have written one each: the one that knew most of the others.
    return max(found, key=lambda content: (len(content.shared), content.date), default=None)


def told_of(entries: Sequence[Entry], dataset: str) -> str:
    """Return in words which known holdout a dataset is most like; empty where it is like none."""
    shares = {name: share for name, share in same_holdout(entries, dataset).items() if name != dataset}
    if not shares:
        return ""
    most, share = max(shares.items(), key=lambda item: (item[1], item[0]))
    source = next((entry.source for entry in reversed(entries) if entry.dataset == most), "a dataset")
    kind, _, value = most.partition(":")
    # 99.9 % are not all of them.
    return f"{math.floor(share * 100)}% of its rows are those of {source} ({kind}:{value[:12]})"


def views_of(
    spec: GateSpec, dataset: DatasetProtocol, features: Iterable[Sequence[str] | None]
) -> list[tuple[str, ...]]:
    """Return which columns make a row: all of them, and those that the gate's models read with the target.

    Without what only names a row or weighs it: keys and weights are often made anew.

    Parameters
    ----------
    spec : GateSpec
        The gate.
    dataset : DatasetProtocol
        The holdout.
    features : iterable of sequence of str
        The columns that each model asks for; ``None``: all.
    """
    names = [name for name, _ in dataset.columns if name not in (spec.key, spec.sample_weight)]
    read = {name for columns in features for name in (names if columns is None else columns)}
    found = [tuple(sorted(names))]
    if read.intersection(names) - {spec.target}:
        found.append(tuple(name for name in sorted(names) if name in read or name == spec.target))
    return list(dict.fromkeys(found))


def describe(
    entries: Iterable[Entry],
    spec: GateSpec,
    dataset: DatasetProtocol,
    features: Iterable[Sequence[str] | None],
    *,
    rows: int,
    date: str,
) -> Content:
    """Return the line that says which rows a dataset has, and which known ones had them before.

    One pass over the dataset, the first time that a ledger meets it.

    Parameters
    ----------
    entries : iterable of Entry
        The ledger's.
    spec : GateSpec
        The gate.
    dataset : DatasetProtocol
        The holdout.
    features : iterable of sequence of str
        The columns that each model asks for; ``None``: all.
    rows : int
        How many are judged.
    date : str
        Of the line.
    """
    known = [entry for entry in entries if isinstance(entry, Content) and entry.dataset != dataset.digest]
    own = views_of(spec, dataset, features)
    names = {name for name, _ in dataset.columns}
    kept = [(content, sketch) for content in known for sketch in content.kept if names >= {*sketch.columns}]
    # The last one with the key, too, for rows that nothing else tells from each other.
    views = dict.fromkeys([*own, *(sketch.columns for _, sketch in kept), tuple(sorted(names))])
    frames = (judged_rows(spec, batch, Counter()) for batch in dataset.batches())
    found = {rows.columns: rows for rows in rows_of(frames, views)}
    digest = found[tuple(sorted(names))].digest
    shares = [(content.dataset, found[sketch.columns].share_in(sketch) or 0.0) for content, sketch in kept]
    shares += [(content.dataset, 1.0) for content in known if digest and digest == content.digest]
    shared = {name: share for name, share in sorted(shares, key=lambda item: item[1]) if share >= MOST}
    return Content(
        dataset=dataset.digest,
        source=redact(dataset.source),
        rows=rows,
        digest=digest,
        sketches=[plain_sketch(found[view].sketch) for view in own if found[view].sketch.words],
        shared=shared,
        date=date,
        commit=head_commit(Path(spec.root)),
    )
