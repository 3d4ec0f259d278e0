"""What a tracker is told of one candidate: numbers, tags and files, made of the records alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..policy import GRAVITY
from ..results import GateRecord, Line, RoleRecord, TrackerEntry, Verdict
from ..wire import to_plain

#: In front of every tag, and the folder of every file.
PREFIX = "model_gate"

#: While verdicts are being written: whoever asks for "pass" must not find one of an earlier run.
WRITING = "being written"

#: Candidates that name one version for ever, also where they cannot be opened.
_EXACT = re.compile(r"models:/(?:[^/@]+/\d+|m-[0-9a-f]{32})|runs:/[^/]+/.+|wandb:[^:]+:v\d+")


def candidate_of(record: GateRecord) -> RoleRecord | None:
    """Return the candidate of a record, or ``None`` where it could not be loaded."""
    return next((role for role in record.roles if role.role == "candidate"), None)


@dataclass(frozen=True, slots=True)
class _Judged:
    """One candidate in one record: the one that decides, or another of several.

    Parameters
    ----------
    model : tuple of (str, str)
        Exact version and digest.
    record : GateRecord
        Where it was judged.
    verdict : Verdict
        Its own.
    lines : tuple of Line
        What it was judged by, as far as the record keeps it.
    rank : str
        Its place among several: ``"2 of 3"``. Empty: it was the only one.
    """

    model: tuple[str, str]
    record: GateRecord
    verdict: Verdict
    lines: tuple[Line, ...]
    rank: str = ""


def _judged(record: GateRecord) -> Iterator[_Judged]:
    """Yield every candidate of a record of which a tracker can be told; the one that decides comes first."""
    decides, board = candidate_of(record), record.leaderboard
    ranks = {}
    if board is not None:
        for each in board.standings:
            rank = "not ranked" if each.rank is None else f"{each.rank} of {len(board.standings)}"
            ranks[each.resolved, each.digest] = rank
    if decides is not None:
        model = (decides.resolved, decides.digest)
        yield _Judged(model, record, record.verdict, record.lines, ranks.pop(model, ""))
    for each in board.standings if board is not None else ():
        rank = ranks.pop((each.resolved, each.digest), "")
        if rank and each.resolved:
            line = () if each.line is None else (each.line,)
            yield _Judged((each.resolved, each.digest), record, each.verdict, line, rank)
    for name, verdict in _not_opened(record):
        if _EXACT.fullmatch(name):
            yield _Judged((name, ""), record, verdict, ())


def _not_opened(record: GateRecord) -> Iterator[tuple[str, Verdict]]:
    """Yield what could not be opened, by its exact version or else its source, and its verdict."""
    if record.leaderboard is not None:
        for each in record.leaderboard.standings:
            if not each.resolved:
                yield each.unopened or each.source, each.verdict
    elif record.unopened:
        yield record.unopened, record.verdict


def entries(records: Sequence[GateRecord], texts: Mapping[str, str]) -> Iterator[TrackerEntry]:
    """Yield one entry per candidate that was judged, also for each of several that one gate compared.

    Parameters
    ----------
    records : sequence of GateRecord
        Of one run.
    texts : Mapping[str, str]
        Gate -> its report as text.
    """
    found: dict[tuple[str, str], list[_Judged]] = {}
    judgements = [judged for record in records for judged in _judged(record)]
    # A gate may have opened what another one could not: one candidate has one verdict, the gravest.
    opened = {judged.model[0]: judged.model for judged in judgements if judged.model[1]}
    for judged in judgements:
        key = judged.model if judged.model[1] else opened.get(judged.model[0], judged.model)
        found.setdefault(key, []).append(judged)
    for (resolved, digest), its in found.items():
        by_gate: dict[str, list[_Judged]] = {}
        for judged in its:
            by_gate.setdefault(judged.record.gate, []).append(judged)
        tags: dict[str, str] = {}
        files: dict[str, str] = {}
        for gate, said in by_gate.items():
            tags |= _tags(gate, said)
            plain = [to_plain(judged.record) for judged in said]
            files[f"{_word(gate)}.json"] = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)
            files[f"{_word(gate)}.txt"] = texts[gate]
        yield TrackerEntry(
            candidate=resolved,
            digest=digest,
            verdict=_gravest(its),
            tags={
                f"{PREFIX}.gates": ", ".join(by_gate),
                **({f"{PREFIX}.digest": digest} if digest else {}),
                **tags,
            },
            metrics={key: value for judged in its for key, value in _metrics(judged)},
            files={f"{PREFIX}/{path}": text for path, text in files.items()},
        )


def unopened(record: GateRecord) -> Iterator[str]:
    """Yield the candidates that could not be opened and whose version nobody knows, in words."""
    for name, _ in _not_opened(record):
        if not _EXACT.fullmatch(name):
            yield f"candidate {name}"
    if record.asked == "gate" and candidate_of(record) is None and not record.unopened:
        yield "candidate"


def _gravest(judged: Sequence[_Judged]) -> str:
    """Return the gravest verdict: ``"pass"`` only where all are."""
    found = {each.verdict for each in judged}
    return next((verdict.value for verdict in GRAVITY if verdict in found), Verdict.PASS.value)


def _tags(gate: str, judged: Sequence[_Judged]) -> dict[str, str]:
    said = {"verdict": _gravest(judged)}
    record = judged[0].record
    if record.dataset is not None:
        said["dataset"] = f"{record.dataset.source} {record.dataset.digest} {record.dataset.pin}"
    production = next((role for role in record.roles if role.role == "production"), None)
    said["production"] = "none" if production is None else f"{production.resolved} {production.digest}"
    if record.policy:
        said["policy"] = record.policy
    if judged[0].rank:
        said["rank"] = judged[0].rank
    return {f"{PREFIX}.{_word(gate)}.{name}": value for name, value in said.items()}


def _metrics(judged: _Judged) -> Iterator[tuple[str, float]]:
    """Yield the numbers on all rows. A tracker's keys may hold fewer characters than a metric's name."""
    for line in judged.lines:
        if line.slice != "all":
            continue
        start = f"{PREFIX}/{_word(judged.record.gate)}/{_word(line.metric.replace('@', '_at_'))}"
        against = "" if line.question == "regression" else f"_{line.question}"
        numbers = {
            "candidate": line.candidate,
            f"reference{against}": line.reference,
            f"gain{against}": line.gain,
            f"gain_low{against}": line.interval.low if line.interval else None,
            f"gain_high{against}": line.interval.high if line.interval else None,
        }
        yield from ((f"{start}/{name}", float(value)) for name, value in numbers.items() if value is not None)


def _word(name: str) -> str:
    """Return a name with the characters that every tracker takes in keys and paths."""
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "_-.") else "_" for letter in name
    )
