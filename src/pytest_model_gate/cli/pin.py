"""``model-gate pin``: agree to the datasets that the gates judge on, and to models that run code."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from ..results import Check
    from .collection import Collected

LOCK = "model-gate.lock"


def run(options: argparse.Namespace, pytest_arguments: Sequence[str]) -> int:
    """Pin, or compare with the pins, and say what happened to each."""
    from .collection import collect

    if options.check and options.trust:
        raise ConfigurationError("--check writes nothing, and --trust writes a pin.", "Give one of the two.")
    gates = collect([argument for argument in pytest_arguments if argument != "--"])
    for source in options.trust:
        print(_trust(gates, source))
    failed, changed = False, bool(options.trust)
    for same in _by_dataset(gates):
        line, good, new = _pin(same, check_only=options.check)
        print(line)
        failed, changed = failed or not good, changed or new
    if changed:
        print(f"{LOCK} was written: commit it.")
    return int(failed)


def _by_dataset(gates: Iterable[Collected]) -> list[list[Collected]]:
    """Group the gates that look at one dataset, in the order of collection."""
    groups: dict[tuple[str, str, int], list[Collected]] = {}
    for gate in gates:
        key = (gate.spec.root, gate.spec.dataset, id(gate.registry))
        groups.setdefault(key, []).append(gate)
    return list(groups.values())


def _pin(gates: Sequence[Collected], *, check_only: bool) -> tuple[str, bool, bool]:
    """Return what to print, whether it is as it should be, and whether the lock file changed."""
    from ..data.lock import read_lock
    from ..data.pins import short_digest
    from ..gate.pinning import pin_gate
    from ..redact import redact
    from ..report.escape import plain

    spec, registry = gates[0]
    path = Path(spec.root) / LOCK
    before = {pin.source: pin for pin in read_lock(path).datasets}
    check = pin_gate(spec, registry, check_only=check_only)
    names = ", ".join(dict.fromkeys(gate.spec.name for gate in gates))
    what = plain(f"{redact(spec.dataset)} (gate {names})")
    if check.fails:
        return f"{_told(check)}", False, False
    after = {pin.source: pin for pin in read_lock(path).datasets}
    new = [pin for source, pin in after.items() if before.get(source) != pin]
    if not new:
        return f"unchanged  {what}", True, False
    (pin,) = new
    old = before.get(pin.source)
    now = f"{pin.rows:,} rows, {short_digest(pin.digest)}"
    if old is None:
        return f"pinned     {what}: {now}", True, True
    return f"changed    {what}: {old.rows:,} rows, {short_digest(old.digest)} -> {now}", True, True


def _told(check: Check) -> str:
    from ..report.escape import plain

    lines = [f"{check.verdict.value.upper():<10} {plain(check.name)}: {plain(check.summary)}"]
    for finding in check.findings:
        lines.append(f"  {plain(finding.problem)}")
        lines += [f"  next: {plain(finding.remedy)}"] if finding.remedy else []
    return "\n".join(lines)


def _trust(gates: Sequence[Collected], source: str) -> str:
    """Pin the digest of a model that a gate names, and return what to print."""
    from ..gate.pinning import trust_model
    from ..models.baseline import BASELINES
    from ..redact import redact
    from ..report.escape import plain
    from ..spec import ROLES

    using = [gate for gate in gates if source in (gate.spec.source(role) for role in ROLES)]
    if not using:
        known = {gate.spec.source(role) for gate in gates for role in ROLES} - {"", "none", *BASELINES}
        raise ConfigurationError(
            f"--trust {redact(source)}: no collected gate has that model.",
            did_you_mean(redact(source), map(redact, known)),
        )
    digest = trust_model(*using[0], source)
    return f"trusted    {plain(redact(source))}: {digest}"
