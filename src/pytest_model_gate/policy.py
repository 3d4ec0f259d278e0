"""The one place where a verdict is made: bounds and tolerances in, verdicts out. Pure functions.

Two questions are asked of the same numbers, and they are corrected differently:

* *May it ship?* Every line must pass, so each is judged at ``alpha`` without a correction
  (intersection-union test, Berger 1982).
* *Did it regress?* An accusation on any of many lines is a union of events, so the p-values of all
  lines that can say ``regressed`` are adjusted by Holm's method (Holm 1979) first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .results import Check, DriftVerdict, Finding, Line, Question, Verdict

#: From the gravest to the least: the gate's verdict is the first of these that any part has.
GRAVITY = (Verdict.ERROR, Verdict.INVALID, Verdict.REGRESSED, Verdict.INCONCLUSIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with its reason; ``warning`` is said beside a verdict that passes."""

    verdict: Verdict
    reason: str
    warning: str = ""


#: The note of predictions that tell the models apart on no row.
IDENTICAL = "predictions identical on all rows"

_PASSES: dict[Question, str] = {
    "regression": "not worse than production by more than the tolerance",
    "baseline": "better than the baseline",
    "floor": "on the right side of the floor",
}
_FAILS: dict[Question, str] = {
    "regression": "worse than production by more than the tolerance",
    "baseline": "does not beat the baseline by the minimum gain",
    "floor": "on the wrong side of the floor",
}


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return Holm's adjusted p-values, in the order given.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return tuple(adjusted)


def decide(
    *,
    question: Question,
    low: float,
    high: float,
    required: float,
    alpha: float,
    p_regressed: float,
    identical: bool = False,
    alike: bool = False,
    caution: str = "",
) -> Decision:
    """Judge one line.

    Parameters
    ----------
    question : {"regression", "baseline", "floor"}
        What the line asks.
    low, high : float
        Ends of the two-sided ``1 - 2 * alpha`` interval of the gain.
    required : float
        What the gain has to exceed: minus the tolerance, or the minimum gain.
    alpha : float
        One-sided level.
    p_regressed : float
        P-value against "the gain is at least ``required``", adjusted for everything that can say
        ``regressed``.
    identical : bool
        Whether both models said the same on every row.
    alike : bool
        Whether both gave the same labels on every row, and nothing else that could tell them apart: that is
        said, and the interval decides.
    caution : str
        Why the interval may neither let pass nor accuse. Empty: it may.

    Returns
    -------
    Decision
        ``pass`` if ``low > required``; ``regressed`` if ``p_regressed < alpha`` (for a single line
        the same as ``high < required``); otherwise, or with a caution, ``inconclusive``.

    Raises
    ------
    ValueError
        If a bound, the requirement or the p-value is not a number, or the bounds are crossed.
    """
    if not (low <= high and not math.isnan(required) and 0.0 <= p_regressed <= 1.0 and 0.0 < alpha < 0.5):
        raise ValueError(
            f"cannot decide on low={low!r}, high={high!r}, required={required!r}, "
            f"p_regressed={p_regressed!r}, alpha={alpha!r}"
        )
    if identical and question == "regression":
        return Decision(
            verdict=Verdict.PASS,
            reason="both models give the same predictions on every row",
            warning=IDENTICAL,
        )
    if caution:
        return Decision(verdict=Verdict.INCONCLUSIVE, reason=caution)
    if low > required:
        worse = question == "regression" and high < 0
        return Decision(
            verdict=Verdict.PASS,
            reason=_PASSES[question],
            warning="worse, within tolerance" if worse else IDENTICAL if alike else "",
        )
    if p_regressed < alpha:
        return Decision(verdict=Verdict.REGRESSED, reason=_FAILS[question])
    return Decision(verdict=Verdict.INCONCLUSIVE, reason="the data cannot tell")


def decide_distance(*, low: float, high: float, tolerance: float) -> Literal["kept", "broken", "unclear"]:
    """Judge a distance that may be at most ``tolerance``, by bounds that hold together.

    Examples
    --------
    >>> decide_distance(low=0.06, high=0.09, tolerance=0.05)
    'broken'
    >>> decide_distance(low=0.01, high=0.09, tolerance=0.05)
    'unclear'
    """
    if not low <= high:
        raise ValueError(f"cannot decide on low={low!r}, high={high!r}")
    return "broken" if low > tolerance else "kept" if high <= tolerance else "unclear"


def check_verdict(findings: Iterable[Finding], *, unknown: Iterable[Finding] = ()) -> Verdict:
    """Return the verdict of a check on data: findings that only warn fail nothing.

    Parameters
    ----------
    findings : iterable of Finding
        Rules that do not hold.
    unknown : iterable of Finding
        Rules of which nobody knows whether they hold: ``error``, where nothing is known to be broken.
    """
    if any(finding.severity == "fail" for finding in findings):
        return Verdict.INVALID
    return Verdict.ERROR if any(finding.severity == "fail" for finding in unknown) else Verdict.PASS


def drift_verdict(low: float, high: float, threshold: float, *, caution: str = "") -> DriftVerdict:
    """Judge whether an effect is beyond a threshold: for sure, for sure not, or the data cannot tell.

    Parameters
    ----------
    low, high : float
        One-sided bounds of the effect.
    threshold : float
        What is still no drift.
    caution : str
        Why the bounds may neither accuse nor let pass. Empty: they may.

    Raises
    ------
    ValueError
        If a bound or the threshold is not a number, or the bounds are crossed.

    Examples
    --------
    >>> drift_verdict(0.06, 0.08, 0.05), drift_verdict(0.01, 0.04, 0.05), drift_verdict(0.01, 0.08, 0.05)
    ('drifted', 'pass', 'inconclusive')
    """
    if not (low <= high and not math.isnan(threshold)):
        raise ValueError(f"cannot judge drift on low={low!r}, high={high!r}, threshold={threshold!r}")
    if caution:
        return "inconclusive"
    if low > threshold:
        return "drifted"
    return "pass" if high <= threshold else "inconclusive"


def gate_verdict(
    checks: Iterable[Check], lines: Iterable[Line], *, only_checks: bool = False
) -> tuple[Verdict, str]:
    """Return the verdict of a whole gate and the sentence that explains it.

    A gate passes when at least one line was judged and nothing fails: nothing passes by absence.
    ``only_checks`` says that a check was asked for and no line: then a check must have run.
    """
    checks, lines = tuple(checks), tuple(lines)
    failing: list[tuple[Verdict, str]] = [
        (check.verdict, f"{check.name}: {check.summary}") for check in checks if check.fails
    ]
    failing += [
        (line.verdict, f"{line.metric} on {line.slice}: {line.reason}") for line in lines if line.fails
    ]
    for verdict in GRAVITY:
        reasons = [reason for found, reason in failing if found is verdict]
        if reasons:
            more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
            return verdict, reasons[0] + more
    if only_checks and checks:
        return Verdict.PASS, checks[-1].summary
    if all(line.undefined for line in lines):
        return Verdict.ERROR, "nothing was judged: the gate has no metric, no rows or only small slices"
    waived = sum(bool(line.waiver) for line in lines)
    judged = sum(not line.undefined for line in lines)
    return Verdict.PASS, f"{judged} line{'s' * (judged != 1)} judged" + (
        f", {waived} waived" if waived else ""
    )
