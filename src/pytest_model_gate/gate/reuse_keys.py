"""What the keys of the holdout ledger may be together, and what may be asked with them."""

from __future__ import annotations

from ..errors import ConfigurationError
from ..spec import GateSpec


def check_keys(spec: GateSpec) -> None:
    """Refuse keys of the ledger that make no sense together.

    Raises
    ------
    ConfigurationError
        Says which, and what goes with them.
    """
    gate, budget = f"gate {spec.name!r}", spec.holdout_budget
    if budget is not None and (isinstance(budget, bool) or budget < 1):
        raise ConfigurationError(
            f"{gate}: holdout_budget must be at least 1, got {budget!r}.", "Usual is holdout_budget = 20."
        )
    if spec.ledger != "file" and not spec.counts_uses:
        raise ConfigurationError(
            f'{gate}: ledger = "{spec.ledger}" says where uses of the holdout are counted, and none are.',
            "Add holdout_budget = 20.",
        )
    if spec.spending == "equal" and budget is None:
        raise ConfigurationError(
            f'{gate}: spending = "equal" shares alpha among a number of uses, and there is none.',
            "Add holdout_budget = 20.",
        )
    if spec.spending == "adaptive" and spec.feedback != "binary":
        raise ConfigurationError(
            f'{gate}: spending = "adaptive" holds for developers who see only pass or not pass, and '
            f"feedback = {spec.feedback!r} shows them numbers.",
            'Add feedback = "binary", or take spending = "equal".',
        )
    if spec.feedback == "binary" and spec.waivers:
        raise ConfigurationError(
            f'{gate}: a waiver is for one line, and feedback = "binary" shows none.',
            "Remove the waivers, or the key feedback.",
        )


def own_metric(spec: GateSpec, name: str, metric: str) -> None:
    """Refuse an assertion about a metric that the gate doesn't list, where uses are counted.

    Else every metric that exists could be tried on a candidate, and the ones that pass kept, within one use.

    Raises
    ------
    ConfigurationError
        Says where to list it.
    """
    if spec.counts_uses and metric not in spec.metrics:
        raise ConfigurationError(
            f"{name} asks about {metric}, which gate {spec.name!r} does not list: where uses of a holdout "
            "are counted, a metric that is tried on the side would be free.",
            f"Add {metric} to its metrics.",
        )


def whole_only(spec: GateSpec, name: str) -> None:
    """Refuse to ask a part of a gate that gives one answer for each candidate.

    Raises
    ------
    ConfigurationError
        Names what can be asked.
    """
    if spec.feedback == "binary":
        raise ConfigurationError(
            f'{name} asks for a part, and feedback = "binary" gives one answer for each candidate.',
            "Use assert_passes, or no assertion at all.",
        )
