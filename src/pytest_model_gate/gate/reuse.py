"""The holdout ledger in a gate: a use is reserved before anything is judged, and gets its verdict after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..data.checkout import head_commit
from ..data.ledger import Content, Entry, Use
from ..errors import ConfigurationError, EvaluationError
from ..hooks import DatasetProtocol
from ..models.baseline import BASELINES
from ..policy import gate_verdict
from ..redact import redact
from ..results import GateRecord, HoldoutUse, Verdict
from ..spec import GateSpec, Spending
from .fingerprint import config_digest, limits_of, prediction_digest
from .inputs import Failed, attempt
from .keeping import ledger_of
from .known_rows import content_of, describe, told_of
from .lines import Ask
from .rows import Judged
from .uses import Counted, Holdout, broken_promise, holdout, next_level, raised_level

_BINARY = 'feedback = "binary": the report says pass or not pass, and no numbers'


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """One candidate on one holdout, as the ledger knows it.

    Parameters
    ----------
    spec : GateSpec
        The gate.
    dataset : DatasetProtocol
        The holdout.
    model : str
        What people call the candidate.
    rows : int
        How many are judged.
    config, candidate : str
        What tells this use from others, see ``fingerprint``.
    features : tuple
        The columns that each model asks for; ``None``: all.
    """

    spec: GateSpec
    dataset: DatasetProtocol
    model: str
    rows: int
    config: str
    candidate: str
    features: tuple[tuple[str, ...] | None, ...] = ()

    @classmethod
    def of(
        cls,
        spec: GateSpec,
        dataset: DatasetProtocol,
        judged: Judged,
        *,
        model: str,
        features: Iterable[tuple[str, ...] | None] = (),
    ) -> Reuse:
        """Return the use that judging these rows is."""
        return cls(
            spec=spec,
            dataset=dataset,
            model=redact(model),
            rows=judged.sample.n,
            config=config_digest(spec),
            candidate=prediction_digest(
                judged,
                [role for role in judged.predicted if role != "baseline" or spec.baseline not in BASELINES],
                in_order=spec.find_slices is not None,
            ),
            features=tuple(features),
        )

    @property
    def spending(self) -> Spending:
        """The rule."""
        return self.spec.spending or "equal"

    def reserve(self, asks: Sequence[Ask]) -> tuple[Use, str]:
        """Return the line of this use, which the disk has when this returns, and what the rows were before.

        A candidate that was asked the same before has its use already, at the level of that time.

        Raises
        ------
        EvaluationError
            If there is no use left, or it cannot be written down.
        ConfigurationError
            If the ledger is damaged, or was kept by a rule that this one cannot go on from.
        """
        limits = limits_of(asks)
        ledger = ledger_of(self.spec)
        content = self._content(*ledger.read())

        def known_rows(entries: list[Entry]) -> tuple[None, list[Entry]]:
            new = content is not None and content_of(entries, self.dataset.digest) is None
            return None, [content] if content is not None and new else []

        def use_of(entries: list[Entry]) -> tuple[tuple[Use, str], list[Entry]]:
            before = told_of(entries, self.dataset.digest)
            known = holdout(entries, self.dataset.digest)
            found = known.find(self.candidate, self.config, limits)
            use = self._new(known, limits, before) if found is None else self._again(found, limits)
            return (use, before), [use] if found is None or not found.knows(use) else []

        if content is not None:
            # By itself: what the rows are is known also where they are not judged.
            ledger.change(known_rows)
        return ledger.change(use_of)

    def _content(self, entries: list[Entry], writable: bool) -> Content | None:
        """Return what the rows are where the ledger doesn't know yet; others may use it meanwhile."""
        if not writable or content_of(entries, self.dataset.digest) is not None:
            return None
        return describe(entries, self.spec, self.dataset, self.features, rows=self.rows, date=now())

    def settle(self, use: Use, verdict: Verdict) -> None:
        """Write down what was found, once; nothing was shown before this returns.

        Raises
        ------
        EvaluationError
            If it cannot be written.
        ConfigurationError
            If the ledger is damaged.
        """
        line = use._replace(verdict=verdict.value, date=now(), commit=self._commit)

        def decide(entries: list[Entry]) -> tuple[None, list[Entry]]:
            found = holdout(entries, self.dataset.digest).find(self.candidate, self.config, use.limits)
            return None, [line] if found is None or not found.knows(line) else []

        ledger_of(self.spec).change(decide)

    @property
    def _commit(self) -> str:
        return head_commit(Path(self.spec.root))

    def _again(self, found: Counted, limits: Mapping[str, str]) -> Use:
        return found.first._replace(
            gate=self.spec.name,
            model=self.model,
            limits=dict(limits),
            feedback=self.spec.feedback,
            verdict="",
            date=now(),
            commit=self._commit,
        )

    def _new(self, known: Holdout, limits: Mapping[str, str], before: str) -> Use:
        spec, budget, rule = self.spec, self.spec.holdout_budget, self.spending
        raised = raised_level(known, level=spec.alpha)
        if raised:
            raise ConfigurationError(
                f"gate {spec.name!r} has alpha = {spec.alpha:g}, and {raised}: a level that is raised after "
                "answers were seen keeps no promise.",
                self._way_out("Set the earlier alpha, use"),
            )
        broken = broken_promise(known, budget=budget, spending=rule)
        if broken:
            raise ConfigurationError(
                f"{broken}: the rule 'adaptive' cannot go on from there.",
                self._way_out("Keep the earlier rule, use"),
            )
        level = next_level(known, level=spec.alpha, budget=budget, spending=rule)
        if isinstance(level, str):
            raise EvaluationError(f"{level}{f': {before}' if before else ''}.", self._way_out("Use"))
        number, passes, alpha = level
        return Use(
            dataset=self.dataset.digest,
            source=redact(self.dataset.source),
            rows=self.rows,
            gate=spec.name,
            model=self.model,
            config=self.config,
            candidate=self.candidate,
            limits=dict(limits),
            number=number,
            passes=passes,
            budget=budget,
            spending=rule,
            level=spec.alpha,
            alpha=alpha,
            feedback=spec.feedback,
            period=known.period,
            verdict="",
            date=now(),
            commit=self._commit,
        )

    def _way_out(self, begin: str) -> str:
        reset = f"model-gate ledger --reset {redact(self.dataset.source)} --reason '...'"
        return f"{begin} a fresh holdout (and pin it), or run `{reset}`, which is recorded."


def counted(reuse: Reuse, asks: Sequence[Ask], judge: Callable[[float], GateRecord]) -> GateRecord | Failed:
    """Return what judging at the level of this use finds; the ledger knows of it before anybody else does.

    Parameters
    ----------
    reuse : Reuse
        The use.
    asks : sequence of Ask
        What is asked.
    judge : callable
        Judges at a one-sided level.
    """
    subject = reuse.spec.dataset
    reserved = attempt("holdout", subject, lambda: reuse.reserve(asks))
    if isinstance(reserved, Failed):
        return reserved
    use, before = reserved
    judged = replace(judge(use.alpha), alpha=use.alpha, holdout=shown(use))
    if before:
        judged = replace(judged, notes=(*judged.notes, f"the holdout was used before: {before}"))
    record = told(reuse.spec, judged)
    settled = attempt("holdout", subject, lambda: reuse.settle(use, record.verdict))
    return settled if isinstance(settled, Failed) else record


def now() -> str:
    """Return the date of a line."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def shown(use: Use) -> HoldoutUse:
    """Return what a record says about a use."""
    return HoldoutUse(
        number=use.number,
        budget=use.budget,
        spending=use.spending,
        passes=use.passes,
        level=use.level,
        period=use.period,
    )


def told(spec: GateSpec, record: GateRecord) -> GateRecord:
    """Return what a report may tell: everything, or with ``"binary"`` no numbers and one of two verdicts.

    What failed before anything was judged says nothing about the candidate, and is told.
    """
    if spec.feedback == "full":
        return record
    hidden = replace(
        record, lines=(), search=None, correction=spec.correction, notes=(*record.notes, _BINARY)
    )
    if any(check.fails for check in record.checks):
        verdict, reason = gate_verdict(record.checks, ())
        return replace(hidden, verdict=verdict, reason=reason)
    if not record.lines:
        return record
    passed = record.verdict is Verdict.PASS
    return replace(
        hidden,
        verdict=Verdict.PASS if passed else Verdict.INCONCLUSIVE,
        reason=("" if passed else "does not pass; ") + 'with feedback = "binary" no more is said',
    )
