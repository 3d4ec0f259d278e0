"""``model-gate plan --condition``: the rows that a condition over n, o and d takes."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, TypeVar

from ..errors import ConfigurationError, did_you_mean
from ..gate.planned import rounded_up
from ..stats.conditions.answer import MODES, Mode
from ..stats.conditions.grammar import Condition, parse
from ..stats.conditions.rows import ADAPTIVITIES, Adaptivity, Demand, demand

K = TypeVar("K", bound=str)

_MEANS = {
    "fp-free": "what is accepted holds; unknown is rejected",
    "fn-free": "what holds is accepted; unknown is accepted",
}
_LEARNS = {
    "none": "developers see no answer",
    "full": "developers see every answer",
    "firstChange": "the first acceptance ends the set",
}


def run_condition(options: argparse.Namespace) -> int:
    """Plan a condition, and print."""
    mode: Mode = _one_of(options.mode, MODES, "mode") or "fp-free"
    # What is safe where somebody forgets to say it.
    adaptivity: Adaptivity = _one_of(options.adaptivity, ADAPTIVITIES, "adaptivity") or "full"
    keys: dict[str, Any] = {
        "reliability": 0.999 if options.reliability is None else options.reliability,
        "mode": mode,
        "adaptivity": adaptivity,
        "steps": 1 if options.steps is None else options.steps,
    }
    condition = parse(options.condition)
    found = demand(condition, **keys, discordance=options.discordance)
    if options.json:
        said = {"condition": str(condition), **keys, "discordance": options.discordance, **asdict(found)}
        print(json.dumps(said, indent=2, allow_nan=False))
    else:
        print("\n".join(_lines(condition, found, **keys)))
    return 0


def _one_of(given: str | None, known: tuple[K, ...], name: str) -> K | None:
    found = next((one for one in known if one == given), None)
    if given is not None and found is None:
        raise ConfigurationError(f"--{name} {given!r} is not known.", did_you_mean(given, known))
    return found


def _lines(
    condition: Condition,
    found: Demand,
    *,
    reliability: float,
    mode: Mode,
    adaptivity: Adaptivity,
    steps: int,
) -> Iterator[str]:
    many = f"{steps} steps" if steps > 1 else "1 step"
    yield str(condition)
    yield f"  reliability  {reliability:.10g} over {many}; {_LEARNS[adaptivity]}"
    yield f"  mode         {mode}: {_MEANS[mode]}"
    yield f"  one answer   is wrong with a probability of at most {_power_of_ten(found.log_delta)}"
    for part in found.clauses:
        labels = "labelled rows" if part.needs_labels else "rows, labels are not needed"
        yield f"  {part.clause}"
        yield f"    {rounded_up(part.rows, 3):,} {labels}, by {_METHODS[part.method]}"
        yield (
            f"    {rounded_up(part.hoeffding, 3):,} by Hoeffding's bound for the whole left side"
            + (
                f", {rounded_up(part.separate, 3):,} for each variable by itself"
                if len(part.tolerances) > 1
                else ""
            )
        )
        if len(part.tolerances) > 1:
            shares = " + ".join(f"{share:.3g}" for share in part.tolerances)
            yield f"    (tolerance split {shares})"
    if found.expected is not None:
        yield f"  d has to be measured below {found.expected:g}; else the answer is unknown"
    yield f"  rows in all  {rounded_up(found.labelled, 3):,} labelled" + (
        f", {rounded_up(found.unlabelled, 3):,} without labels (the labelled ones may be among them)"
        if found.unlabelled
        else ""
    )
    if found.labels is not None:
        yield (
            f"               only rows whose predictions differ need a label: about "
            f"{rounded_up(found.labels, 3):,} for each step"
        )
    yield f"               {rounded_up(found.paper, 3):,} by the basic estimator of the paper"
    if steps > 1:
        yield f"               {rounded_up(found.fresh, 3):,} with a new set for each step"


_METHODS = {
    "exact binomial": "the exact binomial tail",
    "chernoff": "Chernoff's bound for the worst rows that are possible",
    "hoeffding": "Hoeffding's bound",
}


def _power_of_ten(log_delta: float) -> str:
    """Return a probability that may be too small for a float."""
    exponent = math.floor(log_delta / math.log(10))
    if exponent >= -4:
        return f"{math.exp(log_delta):.2g}"
    return f"{math.exp(log_delta - exponent * math.log(10)):.1f}e{exponent}"
