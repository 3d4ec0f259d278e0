"""Pin what a gate looks at, outside of a judgement: what ``model-gate pin`` does for each gate."""

from __future__ import annotations

from datetime import date

import pluggy

from ..results import Check
from ..spec import GateSpec
from .inputs import Inputs


def pin_gate(
    spec: GateSpec, registry: pluggy.PluginManager, *, check_only: bool = False, today: date | None = None
) -> Check:
    """Pin the dataset of a gate as it is now, or only check it against its pin.

    Parameters
    ----------
    spec : GateSpec
        The gate.
    registry : pluggy.PluginManager
        Sources.
    check_only : bool
        Whether to leave the lock file alone.
    today : date, optional
        What the lock file says about when.

    Returns
    -------
    Check
        ``pin``: its summary is ``"pinned"`` (nothing changed), ``"pinned now"``, or why not.
    """
    return Inputs(spec, registry, pin=not check_only, today=today or date.today()).pin
