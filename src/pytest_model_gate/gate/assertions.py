"""What an assertion asks: the gate's own questions, with limits of its own, or a question of its own."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from ..errors import ConfigurationError
from ..metrics.metric import Metric
from ..results import Question
from ..spec import GateSpec, Tolerance
from .limits import refuse_impossible, refuse_meaningless, refuse_unjudged
from .lines import ALL, ANY, Ask, tolerance_of


def asserted(
    spec: GateSpec,
    metrics: Mapping[str, Metric],
    planned: Sequence[Ask],
    *,
    question: Question,
    metric: str | None,
    limit: Tolerance | float | None,
    n: int,
    roles: Container[str],
) -> list[Ask]:
    """Return the questions that an assertion asks.

    Parameters
    ----------
    spec : GateSpec
        The gate.
    metrics : mapping
        Metrics by name, with the asserted one.
    planned : sequence of Ask
        Everything that the whole gate asks.
    question : {"regression", "baseline", "floor"}
        What is asserted.
    metric : str or None
        Canonical name; ``None``: every metric of the gate.
    limit : Tolerance, float or None
        In place of the gate's own.
    n : int
        Judged rows.
    roles : container of str
        Those that made predictions.

    Raises
    ------
    ConfigurationError
        If there is no such model to compare with, or the metric is never judged.
    """
    if metric is not None:
        refuse_unjudged(metrics[metric], "the assertion")
    wanted = spec.metrics if metric is None else (metric,)
    # A floor that was given is a question of its own: the gate's own floor stays apart.
    own = () if question == "floor" else planned
    _check_role(spec, question, roles)
    asks = [
        ask if limit is None else replace(ask, limit=limit)
        for ask in own
        if ask.question == question and ask.metric in wanted
    ]
    for name in wanted:
        if isinstance(limit, Tolerance):
            refuse_meaningless(metrics[name], limit)
        elif limit is not None and question == "floor":
            refuse_impossible(metrics[name], limit)
    answered = {ask.metric for ask in asks}
    return asks + [
        Ask(
            question=question,
            metric=name,
            slice=ALL,
            n=n,
            limit=_limit(spec, metrics[name], question) if limit is None else limit,
            on_inconclusive=spec.on_inconclusive,
        )
        for name in wanted
        if name not in answered
    ]


def _check_role(spec: GateSpec, question: Question, roles: Container[str]) -> None:
    if question == "regression" and "production" not in roles:
        raise ConfigurationError(
            f'gate {spec.name!r} has production = "none": there is nothing to regress from.',
            "Use assert_beats_baseline or assert_at_least, or name a production model.",
        )
    if question == "baseline" and "baseline" not in roles:
        raise ConfigurationError(
            f"gate {spec.name!r} has no baseline.", 'Give it baseline = "prior" (or "mean").'
        )


def _limit(spec: GateSpec, metric: Metric, question: Question) -> Tolerance | float:
    if question == "regression":
        return tolerance_of(metric, spec.max_regression)
    return spec.min_gain.get(metric.name, spec.min_gain.get(ANY, 0.0))
