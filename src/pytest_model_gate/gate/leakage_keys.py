"""What ``leakage`` may hold, also where a gate is written in Python."""

from __future__ import annotations

from ..errors import ConfigurationError, did_you_mean
from ..spec import GateSpec

_STATISTICS = ("roc_auc", "r2")


def check_leakage(gate: GateSpec) -> None:
    """Refuse values of ``leakage`` that make no sense.

    Raises
    ------
    ConfigurationError
        Says which, and what is usual.
    """
    spec = gate.leakage
    if spec is None:
        return
    start = f"gate {gate.name!r}: leakage."
    tolerance = spec.tolerance
    share = isinstance(tolerance, float) and 0 < tolerance < 1
    if not share and (isinstance(tolerance, bool) or not isinstance(tolerance, int) or tolerance < 0):
        raise ConfigurationError(
            f"{start}tolerance must be a number of rows or a share below 1, got {tolerance!r}.",
            "Write 5 for five rows, or 0.001 for one in a thousand.",
        )
    if spec.near is not None and (isinstance(spec.near, bool) or not 1 <= spec.near <= 15):
        raise ConfigurationError(
            f"{start}near must be 1 to 15 digits, got {spec.near!r}.", "Usual is near = 3, or near = false."
        )
    for name, value in spec.single_feature.items():
        if name not in _STATISTICS:
            raise ConfigurationError(
                f"{start}single_feature names {name!r}, which is no measure of one feature.",
                did_you_mean(name, _STATISTICS),
            )
        if not 0 < value < 1:
            raise ConfigurationError(
                f"{start}single_feature.{name} must be between 0 and 1, got {value!r}.",
                "Usual is single_feature = { roc_auc = 0.99, r2 = 0.98 }.",
            )
    own = {"target": gate.target, "sample_weight": gate.sample_weight}
    for key, columns in (("key", spec.key), ("groups", (spec.groups,)), ("time", (spec.time,))):
        for purpose, name in own.items():
            if name and name in columns:
                raise ConfigurationError(
                    f"{start}{key} names {name!r}, which is the {purpose} of the gate.",
                    "Name the column that tells rows apart.",
                )
