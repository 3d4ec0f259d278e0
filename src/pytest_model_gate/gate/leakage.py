"""Whether the holdout was seen in training: the check, its record, and which rows are concerned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..data.columns import choose
from ..data.leakage.seek import seek
from ..data.leakage.sought import Asked, Hit
from ..errors import EvaluationError, InvalidError, ModelGateError
from ..hooks import DatasetProtocol, ModelProtocol, version_of
from ..policy import check_verdict
from ..redact import redact
from ..results import Check, FeatureStrength, Finding, LeakageRecord
from ..spec import GateSpec, Leakage
from ..wording import example, plural, shorten, some
from .leakage_columns import JudgedRows, columns_compared, features_of
from .leakage_findings import Teller, of_features
from .single_features import strengths

#: So many examples of each finding, and so many columns of an example.
_EXAMPLES, _SHOWN = 3, 4

NAME = "leakage"


@dataclass(frozen=True, kw_only=True, eq=False)
class Leaks:
    """What was found.

    Parameters
    ----------
    check : Check
        ``leakage``.
    record : LeakageRecord or None
        ``None`` where nothing could be compared.
    rows : mapping
        Which of the judged rows stand in the training data, by the ways of comparing that found some.
    """

    check: Check
    record: LeakageRecord | None = None
    rows: Mapping[str, npt.NDArray[np.bool_]]


def leaks(
    spec: GateSpec,
    dataset: DatasetProtocol,
    training: DatasetProtocol,
    models: Sequence[ModelProtocol],
    *,
    pin: str,
    progress: Callable[[str, int, int], None] | None = None,
) -> Leaks:
    """Compare the judged rows of a gate with its training data.

    Parameters
    ----------
    spec : GateSpec
        The gate; it has ``leakage``.
    dataset, training : DatasetProtocol
        The holdout and the training data.
    models : sequence of ModelProtocol
        Those that could be loaded: rows are the same that look the same to them.
    pin : str
        Whether the training data are pinned.
    progress : callable, optional
        ``progress(what, done, of)``.

    Raises
    ------
    ModelGateError
        If nothing can be compared.
    """
    leakage = spec.leakage
    assert leakage is not None, "asked only where there is one"
    _refuse_same(dataset, training, leakage)
    if not training.rows:
        raise EvaluationError(
            f"{redact(training.source)} has no rows: that no row of the holdout stands in it means nothing.",
            "Name the data that the models were trained on in leakage.train.",
        )
    rows = JudgedRows(spec, dataset)
    compared, left_out = columns_compared(spec, leakage, rows, training, models)
    asked = Asked(
        columns=compared,
        target=spec.target if spec.target in dict(training.columns) else "",
        key=leakage.key,
        groups=leakage.groups,
        time=leakage.time,
        near=leakage.near,
    )
    choose(dataset.columns, asked.all, redact(dataset.source))
    choose(training.columns, asked.all, redact(training.source))

    def told(done: int) -> None:
        if progress is not None:
            progress(f"{spec.name}: looking for leaks", done, training.rows)

    sought = seek(rows.frames, training, asked, dict(dataset.columns), told)
    if not sought.rows:
        raise EvaluationError(
            f"{redact(dataset.source)} has no rows to judge: that none of them was seen means nothing.",
            "Check how the dataset was made.",
        )
    teller = Teller(leakage, redact(training.source), spec.target, redact=spec.redact_examples)
    found = teller.tell(sought)
    findings = [*_unread(left_out, redact(training.source)), *found.findings]
    findings = _with_examples(leakage, findings, found.found, rows, asked.columns)
    alone: tuple[FeatureStrength, ...] = ()
    unknown: list[Finding] = []
    if leakage.single_feature:
        features = [name for name in features_of(spec, leakage, dataset, models) if name != spec.target]
        frames = rows.frames([*features, spec.target])
        try:
            alone = strengths(spec, leakage, frames, features, dict(dataset.columns), sought.rows)
        except ModelGateError as error:
            unknown = [_unasked(error, spec, leakage)]
    findings += of_features(alone, leakage)
    record = LeakageRecord(
        source=redact(training.source),
        resolved=redact(training.resolved),
        digest=training.digest,
        version=version_of(training),
        pin=pin,
        training_rows=sought.training_rows,
        rows=sought.rows,
        columns=compared,
        not_compared=left_out,
        near=sought.digits,
        tolerance=leakage.tolerated,
        counts=tuple(found.counts),
        features=alone,
    )
    check = Check(
        name=NAME,
        verdict=check_verdict(findings, unknown=unknown),
        summary=_summary(record),
        findings=(*findings, *unknown),
    )
    return Leaks(check=check, record=record, rows={kind: hit.rows for kind, hit in found.found.items()})


def _refuse_same(dataset: DatasetProtocol, training: DatasetProtocol, leakage: Leakage) -> None:
    """Say at once that training data and holdout are one."""
    if dataset.digest != training.digest and dataset.resolved != training.resolved:
        return
    if dataset.source == training.source:
        said = f"leakage.train is the holdout itself, {redact(dataset.source)}"
    else:
        said = f"leakage.train = {redact(leakage.train)!r} has the very content of {redact(dataset.source)}"
    raise InvalidError(
        f"{said}: all {plural(dataset.rows, 'row')} were seen in training.",
        "Name the data that the models were trained on; were they trained on this, judge them on other rows.",
    )


def _unread(left_out: Sequence[tuple[str, str]], source: str) -> list[Finding]:
    """Return the finding that features are not in the training data: rows are compared by the others."""
    absent = [name for name, why in left_out if why.startswith("not in")]
    if not absent:
        return []
    return [
        Finding(
            subject="columns",
            problem=f"{source} lacks {plural(len(absent), 'feature')} of the holdout: {some(absent)}. "
            "Rows are compared by the others.",
            remedy="Name the data that the models were trained on, or leave these out: "
            "leakage = { ..., ignore = [...] }.",
            rule="leakage.columns",
            severity="warn",
        )
    ]


def _unasked(error: ModelGateError, spec: GateSpec, leakage: Leakage) -> Finding:
    """Return the finding that nobody knows whether one feature tells the target."""
    return Finding(
        subject=shorten(spec.target),
        problem=f"Single features cannot be asked for the target: {error.what}",
        remedy=error.remedy,
        rule="leakage.single_feature",
        severity=leakage.severity,
    )


def _with_examples(
    leakage: Leakage,
    findings: Sequence[Finding],
    found: Mapping[str, Hit],
    rows: JudgedRows,
    compared: Sequence[str],
) -> list[Finding]:
    """Give each finding a few examples: the same ones whatever the order of the rows is."""
    result = []
    for finding in findings:
        kind = finding.rule.removeprefix("leakage.")
        hit = found.get(kind)
        if hit is None or finding.count != int(hit.rows.sum()):
            result.append(finding)
            continue
        places = np.flatnonzero(hit.rows)
        # One row each of the first few that differ, in an order that only their content tells.
        first = places[np.unique(hit.order[places], return_index=True)[1][:_EXAMPLES]]
        columns = {"key": leakage.key, "groups": (leakage.groups,), "time": (leakage.time,)}.get(
            kind, compared[:_SHOWN]
        )
        frame = rows.at(np.sort(first), columns)
        texts = tuple(dict.fromkeys(_texts(frame, columns)))
        result.append(replace(finding, examples=texts, rows=tuple(int(place) for place in frame.index)))
    return result


def _texts(frame: pd.DataFrame, columns: Sequence[str]) -> Iterator[str]:
    for _, row in frame.iterrows():
        told = [_example(row[name]) for name in columns]
        yield (
            told[0]
            if len(told) == 1
            else " ".join(f"{shorten(name)}={text}" for name, text in zip(columns, told, strict=True))
        )


def _example(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return shorten(str(value)) if isinstance(value, np.ndarray) else example(value)


def _summary(record: LeakageRecord) -> str:
    """Return a few words for the header of a report."""
    data = f"{record.source}, {plural(record.training_rows, 'row')}, {record.pin}"
    told = [each for each in record.counts if each.rows and each.kind != "labelled"]
    if not told:
        return f"0 rows   {data}"
    said = ", ".join(f"{plural(each.rows, 'row')} {_WORDS[each.kind]}" for each in told)
    return f"{said}   {data}"


_WORDS = {
    "exact": "by features",
    "near": "nearly",
    "key": "by key",
    "groups": "by group",
    "time": "by time",
}


def uncompared(training: DatasetProtocol, dataset: DatasetProtocol, pin: str) -> LeakageRecord:
    """Return what the record says of training data that could not be compared."""
    return LeakageRecord(
        source=redact(training.source),
        resolved=redact(training.resolved),
        digest=training.digest,
        version=version_of(training),
        pin=pin,
        training_rows=training.rows,
        rows=dataset.rows,
    )
