"""What several candidates of one gate may be."""

from __future__ import annotations

from ..errors import ConfigurationError
from ..redact import redact
from ..spec import GateSpec

#: Each is judged at about a share of the level: of more than these none could pass.
MOST = 50


def check_candidates(spec: GateSpec) -> None:
    """Refuse a list of candidates that cannot be compared.

    Raises
    ------
    ConfigurationError
        Says what is wrong with it.
    """
    named = spec.candidates
    if not named:
        return
    twice = next((source for source in named if named.count(source) > 1), None)
    if twice is not None:
        raise ConfigurationError(
            f"gate {spec.name!r} names the candidate {redact(twice)} twice.", "Keep one of them."
        )
    if len(named) > MOST:
        raise ConfigurationError(
            f"gate {spec.name!r} has {len(named)} candidates, and at most {MOST} can be compared.",
            "Choose among them on validation data, which cost no level, and judge the best few here.",
        )
    if spec.feedback == "binary":
        raise ConfigurationError(
            f'gate {spec.name!r} has several candidates, whose ranks tell more than feedback = "binary" may.',
            "Judge one candidate at a time, or remove feedback.",
        )
