"""Records of one gate, put together for reading: what several assertions found becomes one block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from ..policy import GRAVITY
from ..results import DriftRecord, GateRecord

T = TypeVar("T")


class Block(NamedTuple):
    """What is printed as one: a merged record, and the records that went into it."""

    record: GateRecord
    parts: tuple[GateRecord, ...]


def combine(records: Iterable[GateRecord]) -> tuple[Block, ...]:
    """Merge the records that speak of the same gate, the same models and the same data.

    An assertion may bring limits of its own, so equal lines are dropped and different ones kept.
    """
    blocks: list[Block] = []
    for record in records:
        for index, (merged, parts) in enumerate(blocks):
            if all(_fits(part, record) for part in parts):
                blocks[index] = Block(_merge(merged, record), (*parts, record))
                break
        else:
            blocks.append(Block(record, (record,)))
    return tuple(blocks)


def _fits(one: GateRecord, other: GateRecord) -> bool:
    if (one.gate, one.decision) != (other.gate, other.decision):
        return False
    # A level is that of lines: a record without any, of a pin or a schema, says none of its own.
    if one.lines and other.lines and (one.alpha, one.holdout) != (other.alpha, other.holdout):
        return False
    if one.asked == other.asked:  # two answers to one question: two specs with one name
        return False
    # One worker may have kept what the next one then took from the cache.
    roles = {role.role: replace(role, from_cache=False) for role in one.roles}
    if any(roles.get(role.role) not in (None, replace(role, from_cache=False)) for role in other.roles):
        return False
    if one.dataset is None or other.dataset is None:
        return one.dataset is other.dataset
    mine, theirs = one.dataset, other.dataset
    return (mine.source, mine.digest) == (theirs.source, theirs.digest)


def _merge(one: GateRecord, other: GateRecord) -> GateRecord:
    verdicts = {one.verdict: one, other.verdict: other}
    gravest = next((verdicts[verdict] for verdict in GRAVITY if verdict in verdicts), one)
    judged = one if one.lines or one.holdout is not None else other
    dataset = max(
        (one.dataset, other.dataset), key=lambda dataset: dataset.rows_used if dataset is not None else -1
    )
    return replace(
        one,
        verdict=gravest.verdict,
        reason=gravest.reason,
        alpha=judged.alpha,
        holdout=judged.holdout,
        asked=f"{one.asked}, {other.asked}",
        roles=one.roles or other.roles,
        dataset=dataset,
        checks=_union(one.checks, other.checks),
        lines=_union(one.lines, other.lines),
        small_slices=_union(one.small_slices, other.small_slices),
        bins=_union(one.bins, other.bins),
        notes=_union(one.notes, other.notes),
        search=one.search or other.search,
        leakage=one.leakage or other.leakage,
        drift=_drift(one.drift, other.drift),
        correction=max(one.correction, other.correction, key=len),
    )


def _drift(one: DriftRecord | None, other: DriftRecord | None) -> DriftRecord | None:
    """Assertions may ask for some columns each."""
    if one is None or other is None or one.digest != other.digest or one.blocks != other.blocks:
        return one or other
    return replace(one, columns=_union(one.columns, other.columns), overall=one.overall or other.overall)


def _union(one: Iterable[T], other: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*one, *other)))
