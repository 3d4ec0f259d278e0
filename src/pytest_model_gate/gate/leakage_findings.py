"""What was found of the holdout in the training data, in words: one finding for each way of comparing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..data.leakage.sought import Hit, Sought
from ..results import FeatureStrength, Finding, LeakCount
from ..spec import Leakage
from ..wording import plural, share, shorten, some


@dataclass(frozen=True, kw_only=True)
class Told:
    """Counts and findings of one look at the training data.

    Parameters
    ----------
    counts : list of LeakCount
        Zeros included.
    findings : list of Finding
        What is there.
    found : dict
        What was found, by the names of the counts: those rows are looked at without.
    """

    counts: list[LeakCount] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    found: dict[str, Hit] = field(default_factory=dict)


class Teller:
    """Puts what was found into words.

    Parameters
    ----------
    leakage : Leakage
        What is asked.
    source : str
        The training data, without secrets.
    target : str
        Column with the truth.
    redact : bool
        Whether sentences hold no value of the data.
    """

    def __init__(self, leakage: Leakage, source: str, target: str, *, redact: bool = False) -> None:
        self._leakage, self._source, self._target, self._redact = leakage, source, target, redact

    def tell(self, sought: Sought) -> Told:
        """Return counts and findings."""
        told = Told()
        if sought.exact is not None:
            self._exact(told, sought, sought.exact)
        if sought.near is not None:
            self._near(told, sought, sought.near)
        for kind, hit in (("key", sought.key), ("groups", sought.groups)):
            if hit is not None:
                self._named(told, sought, kind, hit)
        if sought.times is not None:
            self._time(told, sought)
        return told

    def _exact(self, told: Told, sought: Sought, hit: Hit) -> None:
        rows = int(hit.rows.sum())
        labelled = sought.labelled
        same = None if labelled is None else int((labelled.rows & hit.rows).sum())
        self._count(told, sought, "exact", hit)
        if labelled is not None and same is not None:
            told.counts.append(
                LeakCount(
                    kind="labelled",
                    rows=same,
                    share=same / max(1, sought.rows),
                    distinct=labelled.distinct,
                    training_rows=labelled.training,
                )
            )
        if not rows:
            return
        answer = (
            f"its target '{shorten(self._target)}' cannot be compared"
            if same is None
            else f"{same:,} of them with the same '{shorten(self._target)}'"
        )
        repeated = (
            f" The holdout itself has {plural(sought.repeated, 'row')} that equal another one of it; "
            "each is counted."
            if sought.repeated
            else ""
        )
        self._finding(
            told,
            sought,
            "exact",
            f"{share(rows, sought.rows)} of the holdout {_stand(rows)} in {self._source} by "
            f"{plural(len(sought.plans), 'column')}, {answer}: "
            f"{plural(hit.distinct, 'distinct row')}, {plural(hit.training or 0, 'training row')}.{repeated}",
            "Train without these rows, or remove them from the holdout and pin it again. Where different "
            "things have equal features, name what tells them apart: "
            'leakage = { ..., key = "id" }, or accept them: tolerance.',
        )

    def _near(self, told: Told, sought: Sought, hit: Hit) -> None:
        rows = int(hit.rows.sum())
        self._count(told, sought, "near", hit, chance=sought.chance)
        if not rows:
            return
        digits = f"{sought.digits} digits"
        if sought.digits != self._leakage.near:
            digits += f" (to {self._leakage.near}, some would by chance)"
        self._finding(
            told,
            sought,
            "near",
            f"{share(rows, sought.rows)} of the holdout {_stand(rows)} nearly in {self._source}: "
            f"{plural(len(sought.plans), 'column')} agree, floats to {digits}.",
            "Look at the examples: rows that were rounded, jittered or measured again were seen in training; "
            "train without them. If they are others, ask for more digits, near = 6, or none, near = false.",
        )

    def _named(self, told: Told, sought: Sought, kind: str, hit: Hit) -> None:
        rows = int(hit.rows.sum())
        names = some(self._leakage.key if kind == "key" else (self._leakage.groups,))
        self._missing(told, kind, names, hit)
        self._count(told, sought, kind, hit)
        if not rows:
            return
        what = plural(hit.distinct, "key" if kind == "key" else "group")
        self._finding(
            told,
            sought,
            kind,
            f"{what} of '{names}' {_stand(hit.distinct)} in the holdout and in {self._source}: "
            f"{share(rows, sought.rows)} of the holdout, {plural(hit.training or 0, 'training row')}.",
            "Split by this column: all rows of a group belong to one side."
            if kind == "groups"
            else "Train without these rows, or remove them from the holdout and pin it again.",
            subject=names,
        )

    def _missing(self, told: Told, kind: str, names: str, hit: Hit) -> None:
        ours, theirs = hit.missing
        if not ours and not theirs:
            return
        told.findings.append(
            Finding(
                subject=names,
                problem=f"{ours:,} rows of the holdout and {theirs:,} of {self._source} have no value in "
                f"'{names}' ({kind}): nobody knows whether they are the same.",
                remedy="Complete the column, or remove these rows.",
                count=ours + theirs,
                rule=f"leakage.{kind}",
                severity=self._leakage.severity,
            )
        )

    def _time(self, told: Told, sought: Sought) -> None:
        times = sought.times
        assert times is not None, "asked where there is one"
        name = shorten(self._leakage.time)
        unknown = (times.missing, times.training_missing)
        if any(unknown):
            told.findings.append(
                Finding(
                    subject=name,
                    problem=f"{unknown[0]:,} rows of the holdout and {unknown[1]:,} of {self._source} have "
                    f"no value in '{name}' (time): nobody knows which came first.",
                    remedy="Complete the column, or remove these rows.",
                    count=sum(unknown),
                    rule="leakage.time",
                    severity=self._leakage.severity,
                )
            )
        late = times.rows
        rows = int(late.sum())
        order = sought.exact.order if sought.exact is not None else late.astype("uint64")
        self._count(told, sought, "time", Hit(late, 0, times.training_after, order), distinct=None)
        if not rows:
            return
        ends, begins = times.says(times.ends), times.says(times.begins)
        goes_on = f"goes on to {ends} and the holdout begins at {begins}"
        remedy = f"Train on rows before {begins} only, or judge on rows after {ends}."
        if self._redact:
            goes_on = "goes on after the holdout begins"
            remedy = "Train on rows before the holdout only, or judge on rows after the end of training."
        self._finding(
            told,
            sought,
            "time",
            f"{self._source} {goes_on} ('{name}'): "
            f"{share(rows, sought.rows)} of the holdout are not after the end of training, "
            f"{plural(times.training_after, 'training row')} not before the start of the holdout.",
            remedy,
            subject=name,
        )

    def _count(
        self,
        told: Told,
        sought: Sought,
        kind: str,
        hit: Hit,
        *,
        chance: float | None = None,
        distinct: int | None = -1,
    ) -> None:
        rows = int(hit.rows.sum())
        limit = self._leakage.allowed(sought.rows)
        told.counts.append(
            LeakCount(
                kind=kind,  # type: ignore[arg-type]  # the names of the counts are those of the fields
                rows=rows,
                share=rows / max(1, sought.rows),
                distinct=hit.distinct if distinct == -1 else distinct,
                training_rows=hit.training,
                chance=None if chance is None else float(f"{chance:.3g}"),
                fails=rows > limit and self._leakage.severity == "fail",
            )
        )
        if rows:
            told.found[kind] = hit

    def _finding(
        self, told: Told, sought: Sought, kind: str, problem: str, remedy: str, *, subject: str = "rows"
    ) -> None:
        count = next(each for each in told.counts if each.kind == kind)
        within = count.rows <= self._leakage.allowed(sought.rows)
        said = f" Tolerated: {self._leakage.tolerated}." if within else ""
        told.findings.append(
            Finding(
                subject=subject,
                problem=problem + said,
                remedy="" if within else remedy,
                count=count.rows,
                rule=f"leakage.{kind}",
                share=count.share,
                severity="fail" if count.fails else "warn",
            )
        )


def of_features(found: Sequence[FeatureStrength], leakage: Leakage) -> list[Finding]:
    """Return the findings that a feature predicts the target by itself."""
    return [
        Finding(
            subject=shorten(each.feature),
            problem=f"'{shorten(each.feature)}' alone predicts the target{_of_class(each)}: "
            f"{_NAMES[each.statistic]} {each.value:.4g}, at least {each.low:.4g} with confidence, on "
            f"{plural(each.rows, 'row')}; more than {each.threshold:g} is too good to be true.",
            remedy=f"Is it known when the prediction is made? If not, train without it; if so, "
            f'leakage = {{ ..., ignore = ["{shorten(each.feature)}"] }}.',
            rule="leakage.single_feature",
            severity=leakage.severity,
        )
        for each in found
        if each.proven
    ]


_NAMES = {"roc_auc": "an AUC of", "r2": "an R2 of"}


def _of_class(each: FeatureStrength) -> str:
    return f" (class {each.label})" if each.label else ""


def _stand(count: int) -> str:
    return "stands" if count == 1 else "stand"
