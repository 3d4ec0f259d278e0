"""What a tracker is told of one candidate: numbers, tags and files, made of the records alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from ..policy import GRAVITY
from ..results import GateRecord, RoleRecord, TrackerEntry, Verdict
from ..wire import to_plain

#: In front of every tag, and the folder of every file.
PREFIX = "model_gate"

#: While verdicts are being written: whoever asks for "pass" must not find one of an earlier run.
WRITING = "being written"


def candidate_of(record: GateRecord) -> RoleRecord | None:
    """Return the candidate of a record, or ``None`` where it could not be loaded."""
    return next((role for role in record.roles if role.role == "candidate"), None)


def entries(records: Sequence[GateRecord], texts: Mapping[str, str]) -> Iterator[TrackerEntry]:
    """Yield one entry per candidate that was judged.

    Parameters
    ----------
    records : sequence of GateRecord
        Of one run.
    texts : Mapping[str, str]
        Gate -> its report as text.
    """
    candidates = dict.fromkeys(filter(None, map(candidate_of, records)))
    for candidate in candidates:
        judged = [record for record in records if candidate_of(record) == candidate]
        gates = dict.fromkeys(record.gate for record in judged)
        by_gate = {gate: [record for record in judged if record.gate == gate] for gate in gates}
        tags: dict[str, str] = {}
        files: dict[str, str] = {}
        for gate, its in by_gate.items():
            tags |= _tags(gate, its)
            plain = [to_plain(record) for record in its]
            files[f"{_word(gate)}.json"] = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)
            files[f"{_word(gate)}.txt"] = texts[gate]
        yield TrackerEntry(
            candidate=candidate.resolved,
            digest=candidate.digest,
            verdict=gravest(judged),
            tags={f"{PREFIX}.gates": ", ".join(by_gate), f"{PREFIX}.digest": candidate.digest, **tags},
            metrics={key: value for record in judged for key, value in _metrics(record)},
            files={f"{PREFIX}/{path}": text for path, text in files.items()},
        )


def gravest(records: Sequence[GateRecord]) -> str:
    """Return the gravest verdict: ``"pass"`` only where all are."""
    found = {record.verdict for record in records}
    return next((verdict.value for verdict in GRAVITY if verdict in found), Verdict.PASS.value)


def _tags(gate: str, records: Sequence[GateRecord]) -> dict[str, str]:
    said = {"verdict": gravest(records)}
    record = records[0]
    if record.dataset is not None:
        said["dataset"] = f"{record.dataset.source} {record.dataset.digest} {record.dataset.pin}"
    production = next((role for role in record.roles if role.role == "production"), None)
    said["production"] = "none" if production is None else f"{production.resolved} {production.digest}"
    if record.policy:
        said["policy"] = record.policy
    return {f"{PREFIX}.{_word(gate)}.{name}": value for name, value in said.items()}


def _metrics(record: GateRecord) -> Iterator[tuple[str, float]]:
    """Yield the numbers on all rows. A tracker's keys may hold fewer characters than a metric's name."""
    for line in record.lines:
        if line.slice != "all":
            continue
        start = f"{PREFIX}/{_word(record.gate)}/{_word(line.metric.replace('@', '_at_'))}"
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
